// Signs: status by shape and colour, the flag of what is critical, the sign of a job, ages, the last checks as bars and as a line.
import { memo } from "preact/compat";
import { beatsOf, isStale, now } from "../feed";
import type { Beat, Service, Status } from "../model";
import { T } from "../text";
import { age, exact, minute, since } from "../words";

const SHAPES: Record<Status, string> = {
  Healthy: "M6 .5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11Z",
  Degraded: "M6 .8 11.6 11H.4Z",
  Unhealthy: "M1 1h10v10H1Z",
  Unknown: "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9Z",
};

export function Mark({ status, isNamed = false, size = "" }: { status: Status; isNamed?: boolean; size?: "" | "l" | "xl" }) {
  const named = isNamed ? { role: "img" as const, "aria-label": T.status[status] } : { "aria-hidden": true };
  return <svg class={`mark ${status} ${size}`} viewBox="0 0 12 12" {...named}><path d={SHAPES[status]} /></svg>;
}

export const Flag = () => (
  <svg class="flag" viewBox="0 0 9 10" role="img" aria-label={T.critical}><title>{T.critical}</title><path d="M0 0h1v10H0ZM1 .5h8L7 3l2 2.5H1Z" /></svg>
);

const SIGNS: Record<string, string> = {
  succeeded: "M1.5 6.5 4.5 9.5 10.5 2.5", failed: "M2 2l8 8M10 2l-8 8", timed_out: "M2 2l8 8M10 2l-8 8", cancelled: "M2.5 6h7", interrupted: "M2.5 6h7", waiting: "",
};

/** Jobs are not services: a filling ring, a tick, a cross, a dash. */
export function Sign({ state, share = 0.3 }: { state: string; share?: number }) {
  const around = 2 * Math.PI * 4.5;
  return (
    <svg class={`sign ${state}`} viewBox="0 0 12 12" role="img" aria-label={T.jobs.states[state] ?? state}>
      {state === "running" ? (
        <>
          <circle cx="6" cy="6" r="4.5" class="track" />
          <circle cx="6" cy="6" r="4.5" stroke-dasharray={`${share * around} ${around}`} transform="rotate(-90 6 6)" />
        </>
      ) : state === "waiting" ? <circle cx="6" cy="6" r="4.5" class="track" stroke-dasharray="2 2" /> : <path d={SIGNS[state] ?? ""} />}
    </svg>
  );
}

export function Age({ at }: { at: string | null | undefined }) {
  return <time dateTime={at ?? ""} title={exact(at)}>{isStale.value ? since(at, now.value) : age(at, now.value)}</time>;
}

export const Moment = ({ at }: { at: string | number }) => <time title={exact(at)}>{minute(at)}</time>;

const STEP = 4;
const HIGH = 16;
const HEIGHTS: Record<Status, number> = { Healthy: 6, Degraded: 11, Unhealthy: 16, Unknown: 2 };

/** One path for each status, so that fifty bars are four elements. */
export function barsOf(beats: readonly Beat[], most: number): Partial<Record<Status, string>> {
  const paths: Partial<Record<Status, string>> = {};
  const offset = most - beats.length;
  beats.forEach((beat, index) => {
    const high = HEIGHTS[beat.status];
    paths[beat.status] = `${paths[beat.status] ?? ""}M${(index + offset) * STEP} ${HIGH - high}h3v${high}h-3z`;
  });
  return paths;
}

interface BeatsProps {
  one: Service;
  count?: number;
  isWide?: boolean;
}

export const Beats = memo(function Beats({ one, count = 50, isWide = false }: BeatsProps) {
  const beats = beatsOf(one.id).slice(-count);
  const bad = beats.filter((beat) => beat.status !== "Healthy").length;
  const paths = barsOf(beats, count);
  const width = count * STEP - 1;
  return (
    <svg class={isWide ? "beats wide" : "beats"} width={width} height={HIGH} viewBox={`0 0 ${width} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label={T.overview.beatsOf(one.name, bad, beats.length)}>
      {(Object.keys(paths) as Status[]).map((status) => <path key={status} class={status} d={paths[status] ?? ""} />)}
    </svg>
  );
});

const WIDE = 104;

/** Answer times of the last checks as a line from zero, with a dot at the newest; no line where nothing was measured. */
export const Spark = memo(function Spark({ one }: { one: Service }) {
  const beats = beatsOf(one.id);
  const most = Math.max(1e-9, ...beats.map((beat) => beat.ms ?? 0));
  const isNear = most * 2.5 > one.expected_response_time_ms;
  const top = isNear ? Math.max(most, one.expected_response_time_ms) : most * 1.6;
  const step = (WIDE - 6) / 49;
  const at = (index: number) => (50 - beats.length + index) * step + 1;
  const high = (ms: number) => 15 - (ms / top) * 13;
  let path = "";
  let end: [number, number] | null = null;
  beats.forEach((beat, index) => {
    if (beat.ms === null) return;
    end = [at(index), high(beat.ms)];
    path += `${index > 0 && beats[index - 1]?.ms !== null && path ? "L" : "M"}${end[0].toFixed(1)} ${end[1].toFixed(1)}`;
  });
  const last = end as [number, number] | null;
  return (
    <svg class="spark" width={WIDE} height={HIGH} viewBox={`0 0 ${WIDE} ${HIGH}`} aria-hidden="true">
      {isNear && <path class="limit" d={`M0 ${high(one.expected_response_time_ms).toFixed(1)}H${WIDE}`} />}
      <path d={path} />
      {last && <circle cx={last[0]} cy={last[1]} r="1.75" />}
    </svg>
  );
});
