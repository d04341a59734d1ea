// What people do to services, and the story of what came of it. One action at a time for each service.
import { signal } from "@preact/signals";
import { ask, wordsOf } from "./api";
import { askForKey, failure } from "./dialogs";
import { onCheck, onEvent, said, services } from "./feed";
import type { Event, Service } from "./model";
import { T } from "./text";
import { textOf, took } from "./words";

export type Action = "restart" | "start" | "stop";

export interface Story {
  action: Action;
  by: string;
  began: number;
  steps: string[];
  failure: string;
  isRunning: boolean;
  doneAt: number;
  hasAnswered: boolean;
  /** Whether its beginning was told by the monitor too: an answer may overtake the event. */
  isTold: boolean;
}

const PATIENCE_MS = 120_000;

/** The action that is asked about, in its button's place. */
export const asking = signal<{ id: string; action: Action } | null>(null);
/** The service whose question and story stand below the sentence, for they were begun there and not in its row. */
export const aboveFor = signal("");
export const stories = signal<ReadonlyMap<string, Story>>(new Map());

export function tell(id: string, story: Story | null): void {
  const told = new Map(stories.value);
  if (story) told.set(id, story);
  else told.delete(id);
  stories.value = told;
}

function change(id: string, more: (story: Story) => Partial<Story>): void {
  const story = stories.value.get(id);
  if (story) tell(id, { ...story, ...more(story) });
}

const step = (id: string, text: string, more: Partial<Story> = {}): void => change(id, (story) => ({ ...more, steps: [...story.steps, text] }));

export const whoNeeds = (id: string): Service[] => [...services.value.values()].filter((one) => one.depends_on.includes(id));

const begun = (action: Action, by: string, isTold: boolean): Story => ({
  isTold, action, by, began: Date.now(), steps: [T.act.requested], failure: "", isRunning: true, doneAt: 0, hasAnswered: false,
});

export function begin({ id }: Service, action: Action, isAbove = false): void {
  aboveFor.value = isAbove ? id : "";
  if (action === "start") void act(id, action);
  else asking.value = { id, action };
}

/** Leave the question; the focus returns to where it came from. */
export function leaveAsking(): void {
  const id = asking.value?.id ?? "";
  asking.value = null;
  setTimeout(() => document.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus(), 0);
}

export async function act(id: string, action: Action): Promise<void> {
  if (asking.value) leaveAsking();
  tell(id, begun(action, "", false));
  try {
    await ask(`/api/services/${encodeURIComponent(id)}/${action}`, "POST");
    finish(id);
  } catch (error) {
    if (askForKey(error, () => void act(id, action))) tell(id, null);
    else fail(id, wordsOf(error));
  }
}

/** Docker has done it; a stop ends there, else the checks tell the rest. */
function finish(id: string): void {
  const story = stories.value.get(id);
  if (!story?.isRunning || story.doneAt) return;
  const after = took(Date.now() - story.began);
  if (story.action === "stop") step(id, T.act.stopped(after), { isRunning: false });
  else {
    step(id, T.act.started(after), { doneAt: Date.now() });
    setTimeout(() => giveUp(id, story.began), PATIENCE_MS);
  }
  say(id);
}

function fail(id: string, why: string): void {
  change(id, () => ({ failure: T.act.failed(why), isRunning: false }));
  say(id);
}

function giveUp(id: string, began: number): void {
  const story = stories.value.get(id);
  if (story?.isRunning && story.began === began) change(id, () => ({ failure: T.act.notYet(took(Date.now() - began)), isRunning: false }));
}

function say(id: string): void {
  const story = stories.value.get(id);
  const name = services.value.get(id)?.name ?? id;
  if (story) said.value = `${T.act.verbs[story.action] ?? ""} ${name}: ${story.failure || (story.steps.at(-1) ?? "")}`;
}

onCheck((one) => {
  const story = stories.value.get(one.id);
  if (!story?.isRunning || !story.doneAt || Date.parse(one.last_check ?? "") < story.doneAt) return;
  const after = took(Date.now() - story.began);
  if (one.response_time_ms !== null && !story.hasAnswered && one.status !== "Healthy") step(one.id, T.act.answered(after), { hasAnswered: true });
  if (one.status === "Healthy") {
    step(one.id, T.act.healthy(after), { isRunning: false });
    say(one.id);
  }
});

/** Who did it; in open mode nobody has a name. */
const byOf = (event: Event): string => (textOf(event, "by") === "anonymous" ? "" : textOf(event, "by"));

const TOLD = ["ServiceDown", "ServiceUp", "ServiceRestarted"];

onEvent((event) => {
  const id = event.service_id;
  if (TOLD.includes(event.event_type)) said.value = event.message;
  if (!id) return;
  const story = stories.value.get(id);
  const action = event.data["action"] as Action | undefined;
  if (event.event_type === "ActionStarted" && action && story?.action === action && !story.isTold) change(id, () => ({ by: byOf(event), isTold: true }));
  else if (event.event_type === "ActionStarted" && action && !story?.isRunning) tell(id, begun(action, byOf(event), true));
  else if (event.event_type === "ContainerDied" && story?.isRunning && story.steps.length === 1) step(id, T.act.died(took(Date.now() - story.began)));
  else if (event.event_type === "ActionFinished" && story?.isRunning) {
    if (event.data["success"] === true) finish(id);
    else fail(id, event.message);
  }
});

export async function checkNow(id: string): Promise<void> {
  try {
    await ask(`/api/services/${encodeURIComponent(id)}/check`, "POST");
    said.value = T.act.checked(services.value.get(id)?.name ?? id);
  } catch (error) {
    if (!askForKey(error, () => void checkNow(id))) failure.value = wordsOf(error);
  }
}
