// The first page: the fleet, live. Every string from outside becomes a text node.
const RANK = { Unhealthy: 0, Degraded: 1, Unknown: 2, Healthy: 3 };
const SHAPE = { Unhealthy: "■", Degraded: "▲", Unknown: "○", Healthy: "●" };
const services = new Map();
let wait = 250;

function show(connected) {
  const rows = [...services.values()].sort((a, b) => RANK[a.status] - RANK[b.status] || a.id.localeCompare(b.id));
  const wrong = rows.filter((one) => one.status === "Unhealthy");
  const verb = connected ? "are" : "were";
  const sentence = wrong.length ? `${wrong.length} of ${rows.length} ${verb} unhealthy` : `${rows.length} services, none unhealthy`;
  document.getElementById("sentence").textContent = sentence;
  document.getElementById("connection").textContent = connected ? "live" : "Connection lost";
  document.documentElement.toggleAttribute("data-stale", !connected);
  document.title = `${sentence} · FKS Master`;
  document.getElementById("services").replaceChildren(...rows.map((one) => {
    const row = document.createElement("tr");
    const time = one.response_time_ms === null ? "–" : Math.round(one.response_time_ms);
    for (const text of [`${SHAPE[one.status]} ${one.status}`, one.name, one.service_type, time, one.error_message ?? ""]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  }));
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.onopen = () => {
    wait = 250;
    socket.send(JSON.stringify({ command_type: "subscribe_changes" }));
  };
  socket.onmessage = (message) => {
    const data = JSON.parse(message.data);
    if (data.services) {
      services.clear();
      data.services.forEach((one) => services.set(one.id, one));
    } else if (data.type === "change") {
      services.set(data.service.id, data.service);
    }
    show(true);
  };
  socket.onclose = () => {
    show(false);
    setTimeout(connect, wait);
    wait = Math.min(5000, wait * 2);
  };
}

connect();
