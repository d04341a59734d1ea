// Buttons that act on a service, the question in their place, and the story of what came of it.
import { act, asking, begin, checkNow, leaveAsking, stories, tell, whoNeeds, type Action } from "../act";
import { wantsSilence } from "../dialogs";
import { isStale, now } from "../feed";
import type { Service } from "../model";
import { go, serviceAt } from "../router";
import { T } from "../text";
import { names, span } from "../words";
import { useFocus } from "./focus";
import { Sign } from "./marks";
import { Menu, type Entry } from "./pieces";

const stop = (event: Event) => event.stopPropagation();

export function offOf(one: Service): string {
  if (isStale.value) return T.act.notConnected;
  if (!one.docker_container) return T.act.noContainer;
  return stories.value.get(one.id)?.isRunning ? T.act.busy : "";
}

/** Asks once, in the button's place, naming who needs the service. Enter agrees, Esc leaves. */
export function Asking({ one }: { one: Service }) {
  const asked = asking.value;
  const agree = useFocus<HTMLButtonElement>();
  if (asked?.id !== one.id) return null;
  const verb = T.act.verbs[asked.action] ?? asked.action;
  const needed = whoNeeds(one.id);
  return (
    <div class="ask" role="group" aria-label={T.act.asks(verb, one.name)} onClick={stop}>
      <span><b>{T.act.asks(verb, one.name)}</b> {needed.length ? T.act.need(names(needed), needed.length) : T.act.nobody}</span>
      <span class="e">
        <button class="btn main" data-agree ref={agree} onClick={() => void act(one.id, asked.action)}>{verb}</button>
        <button class="btn" onClick={leaveAsking}>{T.act.cancel}</button>
      </span>
    </div>
  );
}

interface ActProps {
  one: Service;
  action: Action;
  kind?: "main" | "quiet s" | "s" | "";
  isNamed?: boolean;
  isAbove?: boolean;
}

export function ActButton({ one, action, kind = "", isNamed = false, isAbove = false }: ActProps) {
  const verb = T.act.verbs[action] ?? action;
  const story = stories.value.get(one.id);
  const off = offOf(one);
  if (story?.isRunning && story.action === action)
    return <span class="btn" aria-disabled="true"><Sign state="running" share={((now.value - story.began) / 1000 % 20) / 20} /> {T.act.working(T.act.doing[action] ?? verb, Math.max(0, Math.floor((now.value - story.began) / 1000)))}</span>;
  return (
    <button class={`btn ${kind}`} disabled={off !== ""} title={off} aria-label={isNamed ? undefined : `${verb} ${one.name}`} onClick={(event) => (stop(event), begin(one, action, isAbove))}>
      {isNamed ? `${verb} ${one.name}` : verb}
    </button>
  );
}

export function openLogs(one: Service): void {
  go(serviceAt(one.id), { logs: "1" });
}

export function More({ one }: { one: Service }) {
  const off = offOf(one);
  const entries: Entry[] = [
    { text: T.act.open, key: "Enter", run: () => go(serviceAt(one.id)) },
    { text: T.act.logs, key: "l", off: one.docker_container ? "" : T.act.noContainer, run: () => openLogs(one) },
    { text: T.act.check, key: "c", off: isStale.value ? T.act.notConnected : "", run: () => void checkNow(one.id) },
    { text: T.act.silence, key: "s", run: () => (wantsSilence.value = one.id) },
    { text: T.act.verbs["stop"] ?? "", isHurting: true, off, run: () => begin(one, "stop") },
  ];
  return <Menu label={T.act.more} name={T.act.menu(one.name)} entries={entries} />;
}

export function StoryLine({ id, isWide = false }: { id: string; isWide?: boolean }) {
  const story = stories.value.get(id);
  if (!story) return null;
  const head = T.act.head(T.act.verbs[story.action] ?? story.action, story.by, span((now.value - story.began) / 1000));
  const isWell = !story.isRunning && !story.failure;
  return (
    <div class={isWide ? "story" : "story in-row"} onClick={stop}>
      <b>{head}</b>
      {story.steps.map((text, index) => <span key={index} class={isWell && index === story.steps.length - 1 ? "st well" : "st"}>{text}</span>)}
      {story.failure && <span class="st bad">{story.failure}</span>}
      {story.isRunning && story.doneAt > 0 && <span class="st">{T.act.waiting}</span>}
      {!story.isRunning && <button class="btn quiet s x" onClick={() => tell(id, null)}>{T.act.dismiss}</button>}
    </div>
  );
}
