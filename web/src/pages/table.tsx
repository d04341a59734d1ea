// The services as rows, worst first; what is not near the screen is not in the page.
import { signal } from "@preact/signals";
import { memo } from "preact/compat";
import { useRef } from "preact/hooks";
import { aboveFor, asking, stories } from "../act";
import { beatsOf, changedAt, isLate, isStale, now, services } from "../feed";
import { idOf, linesOf, type Line } from "../fleet";
import type { Service } from "../model";
import { go, serviceAt } from "../router";
import { T } from "../text";
import { ActButton, Asking, More, StoryLine } from "../ui/acting";
import { Age, Beats, Flag, Mark, Spark } from "../ui/marks";
import { usePart } from "../ui/windowed";
import { causeOf, clock, figure, reason, span, trouble } from "../words";

const CHANGED_MS = 2000;
const isHeld = signal(false); // the pointer or the focus is in the list: its rows stay where they are
const isSortedNow = signal(0);

interface RowProps {
  one: Service;
  isLateNow: boolean;
  isChanged: boolean;
  because: string;
}

/** Names the need that explains it, or when it was last seen. */
function becauseOf(one: Service): string {
  const cause = one.status === "Unhealthy" ? causeOf(one, services.value) : undefined;
  if (cause) return T.reason.needs(cause.name);
  if (one.status === "Unknown" && one.last_check) return T.reason.wasHealthy(clock(one.last_check));
  return one.status === "Unhealthy" && !one.is_down ? T.reason.missedTwo : "";
}

const Row = memo(function Row({ one, isLateNow, isChanged, because }: RowProps) {
  const isBad = one.status !== "Healthy" || isLateNow;
  const isAsked = asking.value?.id === one.id && aboveFor.value !== one.id;
  const open = () => go(serviceAt(one.id));
  const kind = `r ${one.status}${isBad ? " bad" : ""}${isChanged ? " chg" : ""}${isLateNow ? " late" : ""}`;
  const onKey = (event: KeyboardEvent) => event.key === "Enter" && event.target === event.currentTarget && open();
  return (
    <div role="row" class={kind} data-id={one.id} data-stale={isLateNow ? "" : undefined} tabIndex={0} onClick={open} onKeyDown={onKey}>
      <span role="cell" class="m"><Mark status={one.status} isNamed /></span>
      <span role="cell" class="n"><a href={`#${serviceAt(one.id)}`} tabIndex={-1}>{one.name}</a>{one.critical && <Flag />}</span>
      <span role="cell" class="t">{one.service_type}</span>
      <span role="cell" class="w">
        {isBad ? <b class={`st-${one.status}`}>{isLateNow ? T.reason.late : reason(one)}</b> : <span class="soft">{trouble(beatsOf(one.id), Date.now())}</span>}
        {because && <small>{because}</small>}
        {!isAsked && aboveFor.value !== one.id && stories.value.has(one.id) && <StoryLine id={one.id} />}
      </span>
      <span role="cell" class="ms num">{figure(one.response_time_ms)}</span>
      <span role="cell" class="sp"><Spark one={one} /></span>
      <span role="cell" class="hb"><Beats one={one} /></span>
      <span role="cell" class="si num"><Age at={one.since} /></span>
      <span role="cell" class="ac">
        {one.docker_container && !isAsked && <ActButton one={one} action="restart" kind={isBad ? "s" : "quiet s"} />}
        {isBad && <More one={one} />}
      </span>
      {isAsked && <span role="cell" class="askline"><Asking one={one} /></span>}
    </div>
  );
});

/** Keep the order while somebody is in the list; say how many rows would move. */
function useOrder(lines: Line[]): [Line[], number] {
  const kept = useRef<{ order: string[]; asked: number }>({ order: [], asked: -1 });
  const fresh = lines.map(idOf);
  const known = kept.current;
  if (!isHeld.value || known.asked !== isSortedNow.value || !hasSame(known.order, fresh)) {
    kept.current = { order: fresh, asked: isSortedNow.value };
    return [lines, 0];
  }
  const byId = new Map(lines.map((line) => [idOf(line), line]));
  return [known.order.flatMap((id) => byId.get(id) ?? []), known.order.filter((id, index) => id !== fresh[index]).length];
}

function hasSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const known = new Set(a);
  return b.every((id) => known.has(id));
}

const phone = matchMedia("(max-width: 640px)");
const HEIGHTS = { wide: { well: 32, bad: 52, group: 33 }, phone: { well: 44, bad: 172, group: 40 } };

function heightsOf(lines: readonly Line[]): number[] {
  const high = phone.matches ? HEIGHTS.phone : HEIGHTS.wide;
  return lines.map((line) => (line.kind === "group" ? high.group : line.one.status === "Healthy" ? high.well : high.bad));
}

function beatsHead(shown: readonly Service[]): string {
  const first = shown[0]?.interval_seconds ?? 0;
  const isSame = shown.every((one) => one.interval_seconds === first);
  return T.overview.beats(50) + (isSame ? `, ${span(first * 50)}` : "");
}

function Heads({ shown }: { shown: readonly Service[] }) {
  const heads: [kind: string, text: string][] = [
    ["m unseen-text", T.incidents.status], ["n", T.overview.service], ["t", T.overview.type], ["w", isStale.value ? T.overview.wasWrong : T.overview.wrong], ["ms num", T.overview.answer],
    ["sp", T.overview.times], ["hb", beatsHead(shown)], ["si num", T.overview.since], ["ac unseen-text", T.overview.actions],
  ];
  return <div role="row" class="r th">{heads.map(([kind, text]) => <span key={kind} role="columnheader" class={kind}>{kind.includes("unseen") ? <span class="unseen">{text}</span> : text}</span>)}</div>;
}

export function Table({ shown }: { shown: readonly Service[] }) {
  const body = useRef<HTMLDivElement>(null);
  const [lines, moved] = useOrder(linesOf(shown));
  const part = usePart(heightsOf(lines), () => (body.current?.getBoundingClientRect().top ?? 0) + scrollY);
  const hold = (is: boolean) => () => (isHeld.value = is);
  const at = isStale.value ? 0 : now.value;
  return (
    <>
      {moved > 0 && <p class="moved">{T.overview.moved(moved)} <button class="link" onClick={() => isSortedNow.value++}>{T.overview.sort}</button></p>}
      <div class="tbl" role="table" aria-label={T.overview.services} aria-rowcount={lines.length + 1} onPointerEnter={hold(true)} onPointerLeave={hold(false)} onFocusCapture={hold(true)} onBlurCapture={hold(false)}>
        <div role="rowgroup"><Heads shown={shown} /></div>
        <div role="rowgroup" ref={body} style={{ paddingTop: `${part.above}px`, paddingBottom: `${part.below}px` }}>
          {lines.slice(part.from, part.to).map((line) =>
            line.kind === "group" ? (
              <div role="row" class="gh" key={idOf(line)}><span role="cell"><b>{line.name || T.overview.ungrouped}</b> {(isStale.value ? T.overview.thenOf : T.overview.healthyOf)(line.well, line.all)}</span></div>
            ) : (
              <Row key={line.one.id} one={line.one} isLateNow={at > 0 && isLate(line.one, at)} isChanged={now.value - (changedAt.get(line.one.id) ?? 0) < CHANGED_MS} because={becauseOf(line.one)} />
            ),
          )}
        </div>
      </div>
    </>
  );
}
