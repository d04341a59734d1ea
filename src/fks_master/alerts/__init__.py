"""Who is told what and when: from events to alerts, from alerts to notices, from notices to receivers."""
