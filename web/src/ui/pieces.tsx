// The small pieces that every page is made of; `#ui` shows them all.
import type { ComponentChildren } from "preact";
import { act, asking, stories, tell, whoNeeds, type Action } from "../act";
import { beatsOf, isStale, now } from "../feed";
import type { Service, Status } from "../model";
import { age, clock, exact } from "../words";

export function Mark({ status, isNamed = false }: { status: Status; isNamed?: boolean }) {
  const named = isNamed ? { role: "img" as const, "aria-label": status } : { "aria-hidden": true };
  return <span class={`mark ${status}`} {...named} />;
}

export function Age({ at }: { at: string | null | undefined }) {
  return (
    <time dateTime={at ?? ""} title={exact(at)}>
      {isStale.value ? clock(at) : age(at, now.value)}
    </time>
  );
}

export function Beats({ one }: { one: Service }) {
  return (
    <div class="beats" role="img" aria-label={`Last checks of ${one.name}`}>
      {beatsOf(one.id).map((beat, index) => (
        <i key={beat.at ?? index} class={beat.status} title={`${clock(beat.at)} ${beat.status}`} />
      ))}
    </div>
  );
}

/** Answer times of the last checks as a line from zero; a failed check is a tick on the floor. */
export function Spark({ one }: { one: Service }) {
  const shown = beatsOf(one.id);
  const most = Math.max(1, ...shown.map((beat) => beat.ms ?? 0));
  const step = 96 / Math.max(1, shown.length - 1);
  const points = shown
    .map((beat, index) => (beat.ms === null ? "" : `${(index * step).toFixed(1)},${(15 - (beat.ms / most) * 14).toFixed(1)}`))
    .filter(Boolean);
  return (
    <svg class="spark" width="96" height="16" viewBox="0 0 96 16" aria-hidden="true">
      {points.length > 1 && <polyline points={points.join(" ")} />}
      {shown.map((beat, index) => beat.ms === null && <path key={index} class="missed" d={`M${index * step} 12v4`} />)}
    </svg>
  );
}

const stop = (event: Event) => event.stopPropagation();

/** A button that asks once, in its own place, naming who needs the service. Enter agrees, Esc leaves. */
export function ActButton({ one, action, isMain = false }: { one: Service; action: Action; isMain?: boolean }) {
  const asked = asking.value;
  const isBusy = stories.value.get(one.id)?.isRunning ?? false;
  const label = `${action[0]?.toUpperCase() ?? ""}${action.slice(1)}`;
  if (asked?.id === one.id && asked.action === action) {
    const needed = whoNeeds(one.id);
    return (
      <span class="asking" onClick={stop}>
        {needed.length > 0 && `${needed.join(", ")} ${needed.length === 1 ? "needs" : "need"} it. `}
        {label} {one.name}?{" "}
        <button class="filled" data-agree ref={(node) => node?.focus()} onClick={() => void act(one.id, action)}>
          {label}
        </button>{" "}
        <button onClick={() => (asking.value = null)}>No</button>
      </span>
    );
  }
  const begin = (event: Event) => {
    stop(event);
    if (action === "start") void act(one.id, action);
    else asking.value = { id: one.id, action };
  };
  const off = isStale.value ? "Not connected" : isBusy ? "An action is under way" : "";
  return (
    <button class={isMain ? "filled" : ""} disabled={off !== ""} title={off} onClick={begin}>
      {label}
    </button>
  );
}

export function StoryLine({ id }: { id: string }) {
  const story = stories.value.get(id);
  if (!story) return null;
  return (
    <div class={story.isFailure ? "story failed" : "story"}>
      {story.isRunning ? "◔ " : story.isFailure ? "✕ " : "✓ "}
      {story.text}{" "}
      {!story.isRunning && (
        <button class="quiet small" onClick={(event) => (stop(event), tell(id, null))}>
          Dismiss
        </button>
      )}
    </div>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section>
      <div class="head-line">
        <h2>{title}</h2>
        {aside && <span class="soft">{aside}</span>}
      </div>
      {children}
    </section>
  );
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  const isEmpty = Array.isArray(children) && children.length === 0;
  if (isEmpty || children === null || children === undefined || children === "") return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Say({ head, rest, children }: { head: string; rest?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="head">
      <div>
        <h1 id="sentence">{head}</h1>
        {rest && <p class="rest">{rest}</p>}
      </div>
      <div class="row">{children}</div>
    </div>
  );
}
