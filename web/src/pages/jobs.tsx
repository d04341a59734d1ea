// Compose for a project: the plan first where it changes things, the output as it comes, and what ran before.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey } from "../dialogs";
import { isStale, now } from "../feed";
import type { Job, JobLine, Step } from "../model";
import { go } from "../router";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { useFocus } from "../ui/focus";
import { Dialog } from "../ui/dialog";
import { Age, Sign } from "../ui/marks";
import { Choice, Failed, Say, Section } from "../ui/pieces";
import type { TerminalLine } from "../ui/lines";
import { Terminal } from "../ui/terminal";
import { age, minute, names, span } from "../words";

const FIRST = ["up", "pull", "build"] as const;
const OTHERS = ["restart", "start", "stop", "push", "ps", "logs", "down"] as const;
const PLANNED = ["up", "build", "push", "down"];
const SHOWN = 14;

const lasted = (one: JobLine | Job): string => span(one.duration_seconds ?? (now.value - Date.parse(one.started_at)) / 1000);
const shareOf = (one: JobLine | Job): number => Math.min(0.95, 0.1 + ((now.value - Date.parse(one.started_at)) / 1000 / 60) * 0.9);

function List({ jobs, here }: { jobs: JobLine[]; here: string }) {
  return (
    <Section title={T.jobs.title} aside={<span class="soft small">{T.jobs.head}</span>}>
      {!jobs.length && <p class="soft small">{T.jobs.never}</p>}
      <ul class="jl">
        {jobs.slice(0, SHOWN).map((one) => (
          <li key={one.id}>
            <a href={`#jobs/${encodeURIComponent(one.id)}`} aria-current={one.id === here ? "true" : undefined}>
              <Sign state={one.state} share={shareOf(one)} /><span class="cut"><b>{one.action}</b> {one.services.length ? one.services.join(", ") : one.project}</span>
              <span class="soft">{one.state === "running" ? T.jobs.now : <Age at={one.started_at} />}</span><span class="num">{lasted(one)}</span>
            </a>
          </li>
        ))}
      </ul>
      {jobs.length > 0 && <p class="legend"><Sign state="succeeded" /> {T.jobs.states["succeeded"]} <Sign state="failed" /> {T.jobs.states["failed"]} <Sign state="cancelled" /> {T.jobs.states["cancelled"]}</p>}
    </Section>
  );
}

const read = (text: string): TerminalLine => ({ at: "", kind: "stdout", text: text.split("\r").filter(Boolean).pop() ?? "" });

interface Asked {
  action: string;
  project?: string;
  file?: string;
  services?: string[];
}

interface Plan {
  asked: Asked;
  steps: Step[];
  said: string;
  error: string;
}

const plan = signal<Plan | null>(null);
const naming = signal<Asked | null>(null);

function run(asked: Asked, fail: (text: string) => void): void {
  ask<{ job_id: string }>("/api/compose", "POST", { ...asked, wait: false })
    .then(({ job_id }) => {
      naming.value = null;
      go(`jobs/${encodeURIComponent(job_id)}`);
    })
    .catch((error: unknown) => askForKey(error, () => run(asked, fail)) || fail(wordsOf(error)));
}

function look(asked: Asked, fail: (text: string) => void, done: () => void): void {
  ask<{ stdout: string; project: string | null; plan: Step[] | null }>("/api/compose", "POST", { ...asked, dry_run: true })
    .then((answer) => (plan.value = { asked: { ...asked, ...(answer.project && { project: answer.project }) }, steps: answer.plan ?? [], said: answer.plan ? "" : answer.stdout, error: "" }))
    .catch((error: unknown) => askForKey(error, () => look(asked, fail, done)) || fail(wordsOf(error)))
    .finally(done);
}

const mustName = (asked: Asked): boolean => asked.action === "down" || (asked.action === "stop" && !asked.services?.length);

function NewJob({ known }: { known: string[] }) {
  const [action, setAction] = useState("up");
  const [project, setProject] = useState("");
  const [file, setFile] = useState("");
  const [services, setServices] = useState("");
  const [error, setError] = useState("");
  const [isLooking, setLooking] = useState(false);
  const asked: Asked = { action, ...(project && { project }), ...(file && { file }), ...(services.trim() && { services: services.split(/[\s,]+/).filter(Boolean) }) };
  const isPlanned = PLANNED.includes(action) || mustName(asked);
  const submit = () => {
    setError("");
    plan.value = null;
    if (!isPlanned) run(asked, setError);
    else {
      setLooking(true);
      look(asked, setError, () => setLooking(false));
    }
  };
  const off = isStale.value ? T.act.notConnected : "";
  return (
    <Section title={T.jobs.create}>
      <form class="rows" onSubmit={(event) => (event.preventDefault(), submit())}>
        <span>{T.jobs.action}</span>
        <span class="pair">
          <Choice label={T.jobs.action} value={action as (typeof FIRST)[number]} values={FIRST.map((name) => [name, name] as const)} onChoose={setAction} />
          <select aria-label={T.jobs.more} value={(OTHERS as readonly string[]).includes(action) ? action : ""} onChange={(event) => event.currentTarget.value && setAction(event.currentTarget.value)}><option value="">{T.jobs.more}</option>{OTHERS.map((name) => <option key={name}>{name}</option>)}</select>
        </span>
        <label for="job-project">{T.jobs.project}</label><input id="job-project" list="projects" value={project} placeholder={T.jobs.byFile} onInput={(event) => setProject(event.currentTarget.value)} />
        <datalist id="projects">{known.map((name) => <option key={name} value={name} />)}</datalist>
        <label for="job-file">{T.jobs.file}</label><input id="job-file" value={file} placeholder="docker-compose.yml" onInput={(event) => setFile(event.currentTarget.value)} />
        <label for="job-services">{T.jobs.serviceNames}</label><input id="job-services" value={services} placeholder={T.jobs.allPlaceholder} onInput={(event) => setServices(event.currentTarget.value)} />
        <span class="wide"><button class="btn" disabled={off !== "" || isLooking} title={off}>{isLooking ? T.jobs.looksUp : isPlanned ? T.jobs.showPlan : T.jobs.run(action)}</button> {isPlanned && <span class="soft small">{T.jobs.nothingYet}</span>}</span>
      </form>
      {error && <p class="box u" role="alert">{error}</p>}
    </Section>
  );
}

function counted(steps: readonly Step[]): string {
  const counts = new Map<string, number>();
  for (const { verb, kind } of steps) counts.set(`${verb} ${kind}`, (counts.get(`${verb} ${kind}`) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${what.split(" ")[0] ?? ""} ${T.plural(count, what.split(" ")[1] ?? "", `${what.split(" ")[1] ?? ""}s`)}`).join(", ");
}

function PlanTable({ shown }: { shown: Plan }) {
  const [error, setError] = useState("");
  const { asked, steps } = shown;
  return (
    <Section title={T.jobs.plan} aside={<span class="soft small">{T.jobs.planFor(asked.file ?? "", asked.project ?? "")}</span>}>
      <p class="soft">{steps.length ? T.jobs.counts(counted(steps)) : shown.said ? "" : T.jobs.nothing}</p>
      {shown.said && <pre class="code">{shown.said}</pre>}
      {steps.length > 0 && (
        <table class="plain plan">
          <thead><tr><th scope="col"><span class="unseen">{T.incidents.status}</span></th><th scope="col">{T.jobs.name}</th><th scope="col">{T.jobs.does}</th><th scope="col">{T.jobs.what}</th></tr></thead>
          <tbody>{steps.map((step) => <tr key={step.kind + step.name + step.verb}><td><Sign state="waiting" /></td><td class="name">{step.name}</td><td class={step.verb === "remove" ? "st-Unhealthy" : ""}>{step.verb}</td><td class="soft">{step.kind}</td></tr>)}</tbody>
        </table>
      )}
      {error && <p class="box u" role="alert">{error}</p>}
      <p class="after">
        <button class={asked.action === "down" ? "btn hurt" : "btn main"} onClick={() => (mustName(asked) ? (naming.value = asked) : run(asked, setError))}>{T.jobs.run(asked.action)}</button>
        <button class="btn" onClick={() => (plan.value = null)}>{T.jobs.leave}</button>
      </p>
    </Section>
  );
}

/** What cannot be undone asks for the name of the project. */
function Naming({ asked }: { asked: Asked }) {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const verb = T.jobs.dialogVerbs[asked.action] ?? asked.action;
  const project = asked.project ?? "";
  return (
    <Dialog open={naming} closed={null} name={T.jobs.take(verb, project)} kind="dlg">
      <form onSubmit={(event) => (event.preventDefault(), text === project && project && run(asked, setError))}>
        <h2>{T.jobs.take(verb, project)}</h2>
        <p class="soft">{T.jobs.dialogSays[asked.action]}</p>
        {project ? <label>{T.jobs.write}<input autofocus autocomplete="off" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label> : <p class="box d">{T.jobs.needProject}</p>}
        {error && <p class="box u" role="alert">{error}</p>}
        <div class="end"><button type="button" class="btn" onClick={() => (naming.value = null)}>{T.act.cancel}</button><button class="btn hurt fill" disabled={!project || text !== project}>{verb} {project}</button></div>
      </form>
    </Dialog>
  );
}

function Shown({ id }: { id: string }) {
  const path = `/api/jobs/${encodeURIComponent(id)}`;
  const { value: job, error, again } = useAsked<Job>(path, Math.floor(now.value / 1000));
  if (!job) return error ? <Failed what={T.jobs.title} error={error} again={again} /> : null;
  return (
    <>
      {job.reason && <p class="box u">{job.reason}</p>}
      <Terminal key={id} title={T.jobs.output} path={`${path}/output?follow=true`} read={read} name={`job ${id}`} high="max(320px, 56vh)" isPlain />
      <p class="legend">{job.command.length > 0 && <code>$ {job.command.join(" ")}</code>} {job.state === "running" && T.jobs.cancelNote}</p>
    </>
  );
}

function Cancel({ job, again }: { job: JobLine; again: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState("");
  const cancel = () => {
    ask(`/api/jobs/${encodeURIComponent(job.id)}/cancel`, "POST").then(again).catch((reason: unknown) => askForKey(reason, cancel) || setError(wordsOf(reason)));
  };
  if (!isAsking) return <button class="btn hurt" data-cancel onClick={() => setAsking(true)}>{T.jobs.cancel(job.action)}</button>;
  const onKey = (event: KeyboardEvent) => event.key === "Escape" && (event.stopPropagation(), setAsking(false));
  return <span class="ask" role="group" aria-label={T.jobs.cancel(job.action)} onKeyDown={onKey}><span>{error || T.jobs.cancelAsk}</span><span class="e"><Agree text={T.jobs.cancel(job.action)} run={cancel} /><button class="btn" onClick={() => setAsking(false)}>{T.jobs.no}</button></span></span>;
}

function Agree({ text, run: agree }: { text: string; run: () => void }) {
  return <button class="btn hurt" ref={useFocus<HTMLButtonElement>()} onClick={agree}>{text}</button>;
}

function sayOf(jobs: JobLine[], here: JobLine | undefined): [string, string] {
  const one = here ?? jobs.find((each) => each.state === "running");
  if (one?.state === "running") return [T.jobs.runs(one.action, one.project, lasted(one)), [T.jobs.startedBy("", minute(one.started_at)), one.services.length ? T.jobs.services(names(one.services.map((name) => ({ name })))) : T.jobs.allServices].join(" ")];
  if (one) return [T.jobs.over(one.action, one.project, T.jobs.ended[one.state] ?? one.state, lasted(one)), T.jobs.startedBy("", minute(one.started_at))];
  const last = jobs[0];
  return [T.jobs.none, last ? T.jobs.last(`${last.action} on ${last.project}`, T.jobs.ended[last.state] ?? last.state, age(last.finished_at ?? last.started_at, now.value)) : T.jobs.never];
}

export function JobsPage({ id }: { id: string }) {
  const jobs = useAsked<JobLine[]>("/api/jobs", Math.floor(now.value / 2000));
  const all = jobs.value ?? [];
  const here = all.find((one) => one.id === id);
  const shownId = id || (plan.value ? "" : (all.find((one) => one.state === "running")?.id ?? all[0]?.id ?? ""));
  const running = here ?? all.find((one) => one.id === shownId);
  const [head, rest] = jobs.value ? sayOf(all, here) : [jobs.error ? T.failed.title(T.jobs.title) : T.jobs.looking, jobs.error];
  return (
    <>
      <Say head={head} rest={rest}>{running?.state === "running" && <Cancel key={running.id} job={running} again={jobs.again} />}</Say>
      <div class="cols jobs">
        <div><List jobs={all} here={shownId} /><NewJob known={[...new Set(all.map((one) => one.project))]} /></div>
        <div>{plan.value && <PlanTable shown={plan.value} />}{shownId && <Shown id={shownId} />}</div>
      </div>
      {naming.value && <Naming asked={naming.value} />}
    </>
  );
}
