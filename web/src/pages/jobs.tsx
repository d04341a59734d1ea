// Compose for a project: the plan first where it changes things, the output as it comes, and what ran before.
import { useState } from "preact/hooks";
import { ask } from "../api";
import { now } from "../feed";
import type { Job, JobLine } from "../model";
import { go } from "../router";
import { useAsked } from "../ui/asked";
import { Age, Fact, Say, Section } from "../ui/pieces";
import { Terminal, type TerminalLine } from "../ui/terminal";
import { span } from "../words";

const ACTIONS = ["up", "pull", "build", "start", "stop", "restart", "push", "ps", "logs", "down"];
const PLANNED = ["up", "build", "push", "down"];
const SIGNS: Record<string, [string, string]> = {
  running: ["◔", "running"], succeeded: ["✓", "done"], failed: ["✕", "failed"],
  cancelled: ["–", "cancelled"], interrupted: ["–", "interrupted"], timed_out: ["✕", "took too long"],
};

const sign = (state: string) => <span class={`sign ${state}`}><span aria-hidden="true">{SIGNS[state]?.[0] ?? ""}</span> {SIGNS[state]?.[1] ?? state}</span>;
const took = (one: JobLine | Job) => (one.duration_seconds === null ? span((now.value - Date.parse(one.started_at)) / 1000) : span(one.duration_seconds));

function List({ jobs }: { jobs: JobLine[] }) {
  if (!jobs.length) return <p class="soft">No job has run yet.</p>;
  return (
    <table class="plain">
      <thead><tr><th scope="col">State</th><th scope="col">Action</th><th scope="col">Project</th><th scope="col">Services</th><th scope="col" class="number">Started</th><th scope="col" class="number">Took</th></tr></thead>
      <tbody>
        {jobs.map((one) => (
          <tr key={one.id}>
            <td>{sign(one.state)}</td>
            <td class="name"><a href={`#jobs/${encodeURIComponent(one.id)}`}>{one.action}</a></td>
            <td>{one.project}</td>
            <td class="why">{one.services.join(", ") || "all"}</td>
            <td class="number"><Age at={one.started_at} /></td>
            <td class="number">{took(one)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const read = (text: string): TerminalLine => ({ at: "", kind: "stdout", text: text.split("\r").pop() ?? "" });

interface Asked {
  action: string;
  project?: string;
  file?: string;
  services?: string[];
}

function NewJob({ onError }: { onError: (text: string) => void }) {
  const [action, setAction] = useState("up");
  const [project, setProject] = useState("");
  const [file, setFile] = useState("");
  const [services, setServices] = useState("");
  const [plan, setPlan] = useState<string | null>(null);
  const [named, setNamed] = useState("");
  const needsName = action === "down" || (action === "stop" && !services.trim());
  const asked = (): Asked => ({
    action,
    ...(project && { project }),
    ...(file && { file }),
    ...(services.trim() && { services: services.split(/[\s,]+/).filter(Boolean) }),
  });
  const fail = (error: unknown) => onError((error as Error).message);
  const run = () => {
    ask<{ id?: string; job?: { id: string } }>("/api/compose", "POST", { ...asked(), wait: false })
      .then((job) => {
        setPlan(null);
        const id = job.id ?? job.job?.id;
        if (id) go(`jobs/${id}`);
      })
      .catch(fail);
  };
  const look = () => {
    ask<{ stdout?: string; stderr?: string }>("/api/compose", "POST", { ...asked(), dry_run: true })
      .then((answer) => setPlan([answer.stdout, answer.stderr].filter(Boolean).join("\n") || "Nothing would change."))
      .catch(fail);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    onError("");
    if (PLANNED.includes(action) && plan === null) look();
    else run();
  };
  const touch = <T,>(set: (value: T) => void) => (value: T) => {
    setPlan(null);
    set(value);
  };
  return (
    <Section title="New job">
      <form class="form wide" onSubmit={submit}>
        <label>Action<select value={action} onChange={(event) => touch(setAction)(event.currentTarget.value)}>{ACTIONS.map((name) => <option key={name}>{name}</option>)}</select></label>
        <label>Project<input value={project} placeholder="by the file" onInput={(event) => touch(setProject)(event.currentTarget.value)} /></label>
        <label>File<input value={file} placeholder="docker-compose.yml" onInput={(event) => touch(setFile)(event.currentTarget.value)} /></label>
        <label>Services<input value={services} placeholder="all" onInput={(event) => touch(setServices)(event.currentTarget.value)} /></label>
        {plan !== null && <pre aria-label="Plan">{plan}</pre>}
        {needsName && (plan !== null || action === "stop") && <label>Write the project’s name to agree<input value={named} onInput={(event) => setNamed(event.currentTarget.value)} /></label>}
        <div class="row">
          <button class="filled" disabled={needsName && (plan !== null || action === "stop") && (named === "" || (project !== "" && named !== project))}>
            {PLANNED.includes(action) && plan === null ? `Show the plan of ${action}` : `Run ${action}`}
          </button>
          {plan !== null && <button type="button" onClick={() => setPlan(null)}>Leave</button>}
        </div>
      </form>
    </Section>
  );
}

export function JobsPage({ id }: { id: string }) {
  const jobs = useAsked<JobLine[]>("/api/jobs", Math.floor(now.value / 2000));
  const [error, setError] = useState("");
  if (id) return <JobPage id={id} />;
  const running = jobs.value?.filter((one) => one.state === "running") ?? [];
  const first = running[0];
  return (
    <>
      <Say head={first ? `${first.action} on project ${first.project} runs, ${took(first)} so far.` : "No job runs."} rest={jobs.error} />
      {error && <p class="why-not">{error}</p>}
      <NewJob onError={setError} />
      <Section title="Jobs"><List jobs={jobs.value ?? []} /></Section>
    </>
  );
}

function JobPage({ id }: { id: string }) {
  const path = `/api/jobs/${encodeURIComponent(id)}`;
  const { value: job, error, again } = useAsked<Job>(path, Math.floor(now.value / 1000));
  const [isAsking, setAsking] = useState(false);
  if (!job) return <Say head={error || "Looking up the job"} rest={<a href="#jobs">All jobs</a>} />;
  return (
    <>
      <p class="soft"><a href="#jobs">All jobs</a></p>
      <Say head={`${job.action} on project ${job.project}: ${SIGNS[job.state]?.[1] ?? job.state}, ${took(job)}.`} rest={job.reason}>
        {job.state === "running" && !isAsking && <button onClick={() => setAsking(true)}>Cancel</button>}
        {job.state === "running" && isAsking && <span class="asking">What is done stays done. <button class="filled" onClick={() => void ask(`${path}/cancel`, "POST").then(again)}>Cancel {job.action}</button> <button onClick={() => setAsking(false)}>No</button></span>}
      </Say>
      <dl class="facts">
        <Fact name="State">{sign(job.state)}</Fact>
        <Fact name="Services">{job.services.join(", ") || "all"}</Fact>
        <Fact name="Asked by">{job.requested_by}</Fact>
        <Fact name="Command">{job.command.length > 0 && <code>{job.command.join(" ")}</code>}</Fact>
      </dl>
      <Terminal path={`${path}/output?follow=true`} read={read} name={`job ${id}`} />
    </>
  );
}
