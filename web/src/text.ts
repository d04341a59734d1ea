// Every word of the page in one place, ready for translation: nothing else in web/ says anything to people.
import type { Status } from "./model";

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** What lives in memory: nothing where all of it is shown. */
function keptFrom(what: string, moment: string): string {
  if (!moment) return "";
  return moment === "–" ? `No ${what} figures of this time: they are kept since the monitor started.` : `No ${what} figures before ${moment}: they are kept since the monitor started.`;
}

export const T = {
  product: "FKS Master",
  utc: "UTC",
  none: "–",
  status: { Healthy: "Healthy", Degraded: "Degraded", Unhealthy: "Unhealthy", Unknown: "Unknown" } as Record<Status, string>,
  critical: "critical",
  units: { s: "s", min: "min", h: "h", d: "d", ms: "ms" },
  plural,

  nav: {
    label: "Pages", overview: "Overview", incidents: "Incidents", alerts: "Alerts", jobs: "Jobs", map: "Map", activity: "Activity", wall: "Wall",
    more: "More", ui: "Design", skip: "Skip to the page",
  },
  bar: {
    search: "Search services", theme: "Theme", key: "Key", help: "Help", find: "Find",
    live: (age: string) => `live, ${age} ago`, lost: "not connected", unknown: "not known",
    healthy: (count: number) => `${count} healthy`, count: (count: number, status: Status) => `${count} ${status.toLowerCase()}`,
  },
  title: { lost: "○ not known · FKS Master" },
  banner: {
    lost: (age: string) => `Connection lost ${age} ago.`,
    from: (clock: string) => `What you see is from ${clock} and may no longer be true.`,
    again: (seconds: number, turn: number) => (seconds > 0 ? `Trying again in ${seconds} s (try ${turn}).` : `Trying now (try ${turn}).`),
    old: (age: string) => `Nothing new for ${age}.`,
    now: "Try now",
  },
  locked: {
    head: "Reading needs a key.",
    rest: "This monitor shows nothing without an API key or a JWT. The key stays in this tab unless you say otherwise.",
    enter: "Enter the key",
  },

  sentence: {
    connecting: "Connecting",
    empty: "Nothing is watched yet.",
    emptyRest: "Name your services in the config; it is read anew within a few seconds, without a restart.",
    well: (count: number) => `All ${count} services are healthy.`,
    wellOne: "The one service is healthy.",
    noneDown: (bad: number, count: number) => `Nothing is down; ${bad} of ${count} services need a look.`,
    answered: (done: number, count: number) => `${done} of ${count} services answered so far.`,
    down: (name: string, clock: string, age: string, why: string) => `${name} is down since ${clock} (${age}): ${why}.`,
    failing: (name: string, clock: string, age: string, why: string) => `${name} fails since ${clock} (${age}): ${why}.`,
    then: (clock: string, name: string) => `At ${clock}, ${name} was down. What is true now is not known.`,
    thenWell: (clock: string) => `At ${clock}, nothing was down. What is true now is not known.`,
    thenRest: (counts: string) => `Then: ${counts}. Actions are off until the connection is back.`,
    needs: (names: string, cause: string, count: number) => `${names} ${count === 1 ? "fails because it needs" : "fail because they need"} ${cause}.`,
    also: (name: string, why: string) => `${name}: ${why}.`,
    more: (count: number) => `${plural(count, "more is", "more are")} unhealthy.`,
    slow: (names: string, count: number) => `${names} ${count === 1 ? "is" : "are"} slow.`,
    degraded: (names: string, count: number) => `${names} ${count === 1 ? "reports" : "report"} trouble.`,
    unseen: (names: string) => `${names} cannot be seen.`,
    since: (age: string) => `For ${age} now.`,
    and: (names: string, more: number) => `${names} and ${more} more`,
  },

  reason: {
    unseen: "Not seen yet",
    slow: (ms: string, expected: string) => `Slow: ${ms}\u00a0ms, expected ${expected}\u00a0ms`,
    late: "Not seen for two intervals",
    reported: "Reports trouble of its own",
    unhealthy: "Unhealthy",
    needs: (name: string) => `Needs ${name}, which is down.`,
    wasHealthy: (clock: string) => `Last answer at ${clock}.`,
    slowOnce: (age: string) => `slow once, ${age} ago`,
    failedOnce: (age: string) => `failed once, ${age} ago`,
    slowTimes: (count: number, age: string) => `slow ${count} times, last ${age} ago`,
    failedTimes: (count: number, age: string) => `failed ${count} times, last ${age} ago`,
    missedTwo: "Not down yet: one more failed check and people are told.",
  },

  overview: {
    all: "All", filter: "Filter by status", critical: "critical down", of: (down: number, all: number) => `${down} of ${all}`,
    average: "average response", type: "Type", group: "Group", label: "Label", any: "any", table: "Table", grid: "Grid", view: "View",
    services: "Services", service: "Service", wrong: "What is wrong", wasWrong: "What was wrong", answer: "Answer, ms", beats: (count: number) => `Last ${count} checks`,
    since: "Since", actions: "Actions", times: "Answer times",
    healthyOf: (well: number, all: number) => `${well} of ${all} healthy`, ofAll: (well: number, all: number) => (well === all ? `all ${all}` : `${well} of ${all}`),
    thenOf: (well: number, all: number) => `then ${well} of ${all} healthy`, ungrouped: "no group",
    moved: (rows: number) => `${plural(rows, "row", "rows")} would move.`, sort: "Sort now",
    noMatch: (asked: string) => `No service matches “${asked}”.`, clear: "Clear the search",
    legend: "Figures are the last answer in ms. The taller a bar, the worse the check; a dash is a check that could not be made.",
    incident: "Incident", lately: "Lately", allActivity: "All activity",
    beatsOf: (name: string, bad: number, count: number) => `Last ${count} checks of ${name}: ${bad === 0 ? "all well" : `${bad} not well`}`,
  },
  empty: {
    lines: "Lines to add", copy: "Copy", copied: "Copied", check: "Then check it", demo: "Or try it without anything",
    demoSays: "Eleven simulated services that misbehave on a script.", read: "They are read within 5 s; no restart is needed.",
  },

  act: {
    verbs: { restart: "Restart", start: "Start", stop: "Stop" } as Record<string, string>,
    asks: (verb: string, name: string) => `${verb} ${name}?`,
    need: (names: string, count: number) => `${names} ${count === 1 ? "needs" : "need"} it and may fail for a while.`,
    nobody: "Nothing else needs it.",
    cancel: "Cancel", more: "More", open: "Open", logs: "Logs", check: "Check now", silence: "Silence", dismiss: "Dismiss", output: "Output",
    notConnected: "Not connected", busy: "An action is under way", noContainer: "No container is configured",
    working: (verb: string, seconds: number) => `${verb}, ${seconds} s`,
    doing: { restart: "Restarting", start: "Starting", stop: "Stopping" } as Record<string, string>,
    head: (verb: string, by: string, age: string) => `${verb}${by ? ` by ${by}` : ""}, ${age} ago`,
    requested: "requested", died: (after: string) => `stopped after ${after}`, stopped: (after: string) => `stopped after ${after}`,
    started: (after: string) => `started after ${after}`, answered: (after: string) => `first answer after ${after}`,
    healthy: (after: string) => `healthy after ${after}`, waiting: "waiting for the first answer",
    failed: (why: string) => `failed: ${why}`, notYet: (after: string) => `not healthy after ${after}`,
    checked: (name: string) => `${name} is checked now`, menu: (name: string) => `More for ${name}`,
  },

  service: {
    unknown: (id: string) => `No service ${id} is watched.`, all: "All services",
    healthy: (name: string, age: string) => `${name} is healthy for ${age}.`, unseen: (name: string) => `${name} cannot be seen.`,
    bad: (name: string, verb: string, clock: string, age: string, why: string) => `${name} ${verb} since ${clock} (${age}): ${why}.`,
    verbs: { down: "is down", Unhealthy: "fails", Degraded: "is degraded" } as Record<string, string>,
    then: (clock: string, name: string, was: string) => `At ${clock}, ${name} was ${was}. What is true now is not known.`,
    answers: (ms: string, expected: string) => `Answers in ${ms}\u00a0ms, expected ${expected}\u00a0ms.`,
    needed: (names: string, count: number) => `${names} ${count === 1 ? "needs" : "need"} it.`,
    next: (ago: string, seconds: number) => `checked ${ago} ago, next ${seconds > 0 ? `in ${seconds}\u00a0s` : "now"}`, incident: "Incident",
    available: "Available", seen: "of seen time", notSeen: "not seen", checks: "Checks", every: (span: string) => `every ${span}`,
    endpoint: "health endpoint", container: "Container", image: "Image", started: "Started", ago: (age: string) => `${age} ago`, exit: "Exit", restarts: "Restarts",
    looping: "in a crash loop", crashes: "Crashes, 10 min", oom: ", out of memory", slo: "Objective", budget: (left: string, days: string) => `${left} of the budget left, ${days}`, burning: (pace: string) => `burning ${pace}`, due: "Due", ranLast: "Last run", cpu: "CPU", memory: "Memory", limit: "Memory limit", network: "Network in, out", block: "Block read, write", health: "Docker says",
    incidents: "Incidents", allIncidents: "All", noIncidents: "None on record.", open: (span: string) => `${span}, open`, certificate: "Certificate ends", facts: "Facts",
    address: "Group", needs: "Needs", type: "Type", errors: "Failures a minute", noContainer: "No container is configured; set docker_container to see its facts and logs and to restart it.",
    dockerSilent: "Docker does not answer: container facts, logs and actions are off until it does. Checks go on.",
  },

  chart: {
    last: (range: string) => `Last ${range}`, zoomed: "Chosen time", percentiles: "Percentiles", phases: "Phases", kind: "What the chart shows", range: "Range", back: "Back",
    answer: "Answer", answerUnit: "ms, p50 to p95", phaseUnit: "ms, stacked", cpu: "CPU", cpuUnit: "% of a core", memory: "Memory", network: "Network",
    block: "Block I/O", perSecond: "/s", expected: "expected", limit: "limit", notSeen: "not seen", incident: "incident",
    dns: "DNS", connect: "connect", tls: "TLS", firstByte: "first byte", transfer: "transfer", p50: "p50", p95: "p95", inward: "in", outward: "out", read: "read", written: "written",
    table: "The same as a table", from: "From, UTC", checks: "Checks", failed: "Failed", help: "Drag to zoom, double click to return. A red tick is a failed check.",
    label: (what: string) => `${what}; the same as a table below`, before: (exact: string) => `Nothing before ${exact}, when watching began.`,
    usageFrom: (moment: string) => keptFrom("container", moment), phasesFrom: (moment: string) => keptFrom("phase", moment),
  },

  logs: {
    title: "Logs", search: "Search", searchIn: (name: string) => `Search in ${name}`, hit: (at: number, count: number) => `${at} of ${count.toLocaleString("en")}`, hits: (count: number) => plural(count, "hit", "hits"),
    next: "Next hit", previous: "Previous hit", follow: "Follow", wrap: "Wrap", pause: "Pause", resume: "Resume", download: "Download", copy: "Copy",
    lines: (count: number) => plural(count, "line", "lines"), fresh: (count: number) => plural(count, "new line", "new lines"),
    dropped: (count: number) => `${plural(count, "older line", "older lines")} dropped`, ended: "ended", paused: "paused", waiting: "Waiting for lines",
    wrapped: (count: number) => `the last ${count.toLocaleString("en")} wrapped`, out: "out", err: "err", show: "Show the logs", hide: "Hide",
    skipped: (count: number) => `${plural(count, "line was", "lines were")} dropped: only the last 100,000 are kept here.`,
  },

  incidents: {
    looking: "Looking up incidents", open: (count: number) => `${plural(count, "incident is", "incidents are")} open.`, none: "No incident is open.",
    kept: (count: number, more: boolean) => `${count}${more ? " and more" : ""} on record.`, all: "All", onlyOpen: "Open only", state: "Which incidents",
    nothing: "Nothing has gone wrong since the history began.", nothingOpen: "Nothing is wrong now.", service: "Service", cause: "Cause", began: "Began, UTC", lasted: "Lasted", status: "Status", openNow: "open", ended: "ended",
    unknownCause: "Cause not known", seenBy: (who: string) => `${who} looks after it.`, lookup: "Looking up the incident", allLink: "All incidents", crumb: "Incidents",
    was: (name: string, span: string, why: string) => `${name} was down for ${span}: ${why}.`, is: (name: string, span: string, why: string) => `${name} has been down for ${span}: ${why}.`,
    beganAt: (exact: string) => `Began ${exact}.`, endedAt: (exact: string) => `Ended ${exact}.`, mine: "I look after it", report: "Post-mortem", happened: "What happened", newestLast: "newest last",
    notes: "Notes", note: "Write what you see or try. It joins the timeline.", add: "Add note", evidence: "Evidence", saved: (clock: string) => `saved at ${clock}`, told: "Who was told", nobodyTold: "Nobody was told about it.",
    kinds: { result: "check", StatusChanged: "status", ServiceDown: "down", ServiceUp: "up", ActionStarted: "action", ActionFinished: "action", ContainerDied: "container", ContainerStarted: "container" } as Record<string, string>, took: "took",
    receiver: "Receiver", about: "About", result: "Result", after: "After", lastLines: "Last lines before it died", show: "All of it", answers: "Answers around it",
  },

  alerts: {
    looking: "Looking up alerts", none: "No alert is firing.", firing: (count: number) => `${plural(count, "alert is", "alerts are")} firing`, told: (count: number) => `${count} told`, hand: (count: number) => `${count} in hand`, muted: (count: number) => `${count} kept back`, waiting: (count: number) => `${count} being decided`,
    nobody: (count: number) => `${plural(count, "alert is", "alerts are")} firing, and nobody is told.`, noReceiver: "No receiver is configured: set webhook_url under [alerts] in the config.",
    refused: (count: number) => `${plural(count, "message was", "messages were")} refused`, pending: (count: number) => `${plural(count, "message waits", "messages wait")} for ${count === 1 ? "its" : "their"} receiver`, delivered: "Everything that had to be delivered was delivered.",
    firingTitle: "Firing", alert: "Alert", service: "Service", what: "What", toldTo: "Told", since: "Since", monitor: "the monitor", mutedBy: (why: string) => `nobody: ${why}`, hasIt: (who: string) => `${who} has it in hand`, toldAt: (whom: string, clock: string) => `${whom ? `${whom}, ` : ""}at ${clock}`, toNobody: "nobody: no receiver takes it", untold: (count: number) => `${count} told to nobody`, notYet: "not told yet", mine: "I have it", silence: "Silence",
    silences: "Silences", noSilence: "Nothing is silenced.", newSilence: "New silence", objectives: "Objectives", objective: "Objective", left: "Budget left", burn: "Burn", heartbeats: "Heartbeats", due: "Due", ranLast: "Last run", cancelWindow: "End", why: "Why", by: "By", endsIn: "Ends in", end: "End",
    maintenance: "Maintenance", noWindow: "No maintenance is planned.", plan: "Plan maintenance", window: "Window", when: "When", next: "Now", active: "lasts now", allServices: "all services",
    receivers: "Receivers", noReceivers: "Nobody is told. Set webhook_url under [alerts] in the config.", name: "Name", kind: "Kind", last: "So far", test: "Test", sending: "sending", arrived: (answer: string) => `arrived: ${answer}`, failed: (answer: string) => `failed: ${answer}`, sent: (sent: number, refused: number, waiting: number) => [`${sent} sent`, refused && `${refused} refused`, waiting && `${waiting} waiting`].filter(Boolean).join(", "), neverUsed: "never used",
    deliveries: "Deliveries", noDelivery: "Nothing has been sent yet.", noFailed: "None has failed.", receiver: "Receiver", event: "Event", result: "Result", took: "Took", all: "All", onlyFailed: "Failed", which: "Which deliveries", tries: (count: number) => `, try ${count}`, states: { sent: "delivered", refused: "refused", pending: "waiting" } as Record<string, string>,
  },
  silence: {
    services: "Services, with * and ?", duration: "For", why: "Why", send: "Silence", cancel: "Cancel", done: (what: string) => `Silenced ${what}`, times: ["30 min", "2 h", "8 h", "1 d", "7 d"],
    window: "Name", from: "From, UTC", plan: "Plan it", planned: (name: string) => `Planned ${name}`, now: "now",
  },

  jobs: {
    looking: "Looking up jobs", none: "No job is running.", last: (what: string, state: string, age: string) => `The last one, ${what}, ${state} ${age} ago.`, never: "No job has run yet.",
    runs: (action: string, project: string, span: string) => `${action} on project ${project} is running, ${span} so far.`, over: (action: string, project: string, state: string, span: string) => `${action} on project ${project} ${state} after ${span}.`,
    startedBy: (who: string, clock: string) => `Started${who ? ` by ${who}` : ""} at ${clock}.`, services: (names: string) => `For ${names}.`, allServices: "For every service.", title: "Jobs", head: "started, took", now: "now",
    states: { running: "running", succeeded: "done", failed: "failed", cancelled: "cancelled", interrupted: "interrupted", timed_out: "timed out" } as Record<string, string>,
    ended: { running: "is running", succeeded: "was done", failed: "failed", cancelled: "was cancelled", interrupted: "was interrupted", timed_out: "took too long and was ended" } as Record<string, string>,
    legend: "done, failed, cancelled", create: "New job", action: "Action", project: "Project", byFile: "as the file says", file: "File", serviceNames: "Services", allPlaceholder: "all", more: "More", showPlan: "Show the plan", run: (action: string) => `Run ${action}`, nothingYet: "nothing runs before that", looksUp: "Asking Compose",
    plan: "Plan", does: "Does", what: "What", name: "Name", nothing: "Nothing would change.", planFor: (file: string, project: string) => [file, project && `project ${project}`].filter(Boolean).join(", "), leave: "Leave", output: "Output", command: "Command", cancel: (id: string) => `Cancel ${id}`, cancelAsk: "What is done stays done.", no: "No", counts: (text: string) => `Would ${text}.`,
    take: (verb: string, project: string) => `${verb} project ${project}`, dialogSays: { down: "Its containers and networks are removed. Volumes stay. Alerts will fire unless you plan maintenance.", stop: "All its containers are stopped. Alerts will fire unless you plan maintenance." } as Record<string, string>, write: "Write the project’s name to go on:", dialogVerbs: { down: "Take down", stop: "Stop" } as Record<string, string>, cancelNote: "Cancel ends Compose and leaves what is already done.",
    needProject: "Name the project first.",
  },

  map: {
    none: "No service names what it needs.", noneRest: "Add depends_on = [\"other_service\"] to a service in the config: failures then explain each other, and a restart tells whom it hits.",
    takes: (name: string, names: string) => `${name} takes ${names} down with it.`, downAlone: (name: string) => `${name} is down; nothing has failed with it.`, risk: (count: number) => ` ${plural(count, "more is", "more are")} at risk.`, reaches: (name: string, count: number) => (count ? `If ${name} fails, it reaches ${plural(count, "other", "others")}.` : `Nothing else needs ${name}.`),
    rest: "An arrow points from a service to what it needs. Choose a service to see what its failure would reach.", label: "Dependency map; the same in words beside it", fails: (name: string) => `If ${name} fails`, failsNow: "fails now", atRisk: "at risk", through: (name: string) => `through ${name}`, nobody: "Nothing else needs it.", share: (count: number, all: number, critical: number) => `${count} of the ${all} others${critical ? `, ${critical} of them critical` : ""}.`, needs: (name: string) => `${name} needs`, needsNone: "Nothing that is watched.", lines: "Lines", failLine: "fails because of it", riskLine: "could fail because of it", plainLine: "needs, not touched", open: "Open", choose: "Choose service",
  },

  activity: {
    head: "Activity", rest: "What changed and who did what, newest first.", events: "What happened", who: "Who did what", search: "Search", searchWho: "Search who did what", searchEvents: "Search what happened", done: "done", refused: (code: number) => `refused, ${code}`, times: (count: number) => `, ${count} times`, nobody: "Nobody has tried to change anything yet.", nothing: "Nothing has happened yet.", noMatch: (asked: string) => `Nothing matches “${asked}”.`, older: "Older", when: "When", by: "By", action: "Action", target: "On", from: "From", result: "Result", event: "Event", service: "Service",
  },

  wall: { down: (n: number) => `${n} down`, slow: (n: number) => `${n} degraded`, unseen: (n: number) => `${n} not seen`, well: (n: number) => `All ${n} services are healthy`, since: (clock: string) => `since ${clock}`, healthy: (n: number, all: number) => `${n} of ${all} healthy`, average: (ms: string) => `average response ${ms} ms`, page: (at: number, of: number) => `page ${at} of ${of}` },

  key: {
    title: "API key or JWT", says: "Kept in this tab only unless you say otherwise, never in an address, and sent only to this monitor.", label: "Key", keep: "Keep it in this browser", use: "Use it", forget: "Forget it", cancel: "Cancel", wrong: "This key was refused.",
    have: "A key is in use.",
  },
  help: {
    title: "Keys", close: "Close", singles: "Single letters act", notify: "Tell me of new incidents on this computer", sound: "With a sound", manyDown: (count: number, names: string) => `${count} services are down: ${names}`, denied: "The browser does not allow it.",
    keys: [["/", "search"], ["j k", "move"], ["Enter", "open"], ["Esc", "back"], ["r", "restart"], ["l", "logs"], ["s", "silence"], ["c", "check now"], ["g o", "overview"], ["g i", "incidents"], ["g a", "alerts"], ["g j", "jobs"], ["g m", "map"], ["g v", "activity"], ["Ctrl K", "find anything"], ["t", "light, dark"], ["?", "this help"]] as [string, string][],
  },
  palette: { title: "Find a service, a page or an action", nothing: (asked: string) => `Nothing matches “${asked}”.`, services: "Services", actions: "Actions", pages: "Pages", choose: "choose", open: "open", actionsOnly: "actions only", found: (count: number) => `${count} found`, asks: "asks first", restart: (name: string) => `Restart ${name}`, logs: (name: string) => `Logs of ${name}`, check: (name: string) => `Check ${name} now`, silence: (name: string) => `Silence ${name}`, page: "page", asksFirst: (names: string) => (names ? `asks first: ${names}` : "asks first") },
  failed: { looking: "Looking it up", again: "Try again", slow: (seconds: number) => `No answer within ${seconds} s.`, unreachable: "The monitor cannot be reached.", title: (what: string) => `${what} could not be read.` },
  ui: { head: "Every piece, in every state", rest: "The page that shows the whole design system. If a piece is not here, it does not exist." },
};
