// Charts on one time axis with one cursor: ink only; colour is an incident or an action. What was not seen is hatched.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { T } from "../text";
import { themeTurn } from "../theme";
import { clock } from "../words";
import { ticksTo, topOf, type Stretch, type Values } from "./scale";

export interface Plot {
  name: string;
  unit: string;
  high: number;
  times: number[];
  columns: { label: string; values: Values; isFaint?: boolean }[];
  /** The second column is the upper edge of a band over the first; or all are parts of a whole. */
  kind: "lines" | "band" | "stack";
  limit?: { value: number; text: string } | null;
  fails?: number[];
  show: (value: number) => string;
}

export interface Around {
  since: number;
  until: number;
  incidents: { from: number; to: number; text: string }[];
  actions: { at: number; text: string }[];
  gaps: readonly Stretch[];
  onZoom: (since: number, until: number) => void;
  onBack: () => void;
}

const LEFT = 44;
const HEAD = 32; // actions above, incidents below
const GAP = 8;
const LOW = 80;
const FOOT = 22;
const FONT = "11px system-ui, sans-serif";
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Ink, let through: the tokens are written as #rrggbb. */
const tint = (share: number): string => colour("--text") + Math.round(share * 255).toString(16).padStart(2, "0");
const right = (width: number): number => (width < 500 ? 8 : 60);

interface Live {
  plot: Plot;
  around: Around;
  isFirst: boolean;
}

function stacked(columns: Plot["columns"]): Values[] {
  let below: number[] = [];
  return columns.map(({ values }) => {
    const sums = values.map((value, index) => (value === null ? null : value + (below[index] ?? 0)));
    below = sums.map((value) => value ?? 0);
    return sums;
  });
}

const dataOf = ({ kind, times, columns }: Plot): uPlot.AlignedData => [times, ...(kind === "stack" ? stacked(columns).reverse() : columns.map((one) => one.values))];

function seriesOf({ kind, columns, times }: Plot): uPlot.Series[] {
  const points = { show: times.length < 4, size: 4, fill: colour("--text") };
  if (kind === "stack") return columns.map((_, index) => ({ stroke: colour("--text"), width: 0.5, fill: tint(0.1 + index * 0.09), points }));
  return columns.map((one, index) => ({
    stroke: kind === "band" && index === 1 ? "transparent" : colour(one.isFaint ? "--faint" : "--text"), width: one.isFaint ? 1 : 1.25, points: { ...points, show: points.show && !(kind === "band" && index === 1) },
  }));
}

function highest(plot: uPlot): number {
  let most = 0;
  for (const column of plot.data.slice(1)) for (const value of column) if (typeof value === "number" && value > most) most = value;
  return most;
}

function optionsOf(live: { current: Live }, width: number, isLast: boolean, key: string, onCursor: (plot: uPlot) => void): uPlot.Options {
  const { plot, isFirst } = live.current;
  const ticks = (self: uPlot): number[] => ticksTo(topOf(highest(self), live.current.plot.limit?.value ?? null), plot.high < LOW ? 2 : 3);
  const axis = { stroke: colour("--faint"), font: FONT, ticks: { show: false } };
  return {
    width,
    height: plot.high + (isFirst ? HEAD : GAP) + (isLast ? FOOT : GAP),
    padding: [isFirst ? HEAD : GAP, right(width), isLast ? 0 : GAP, 0],
    legend: { show: false },
    cursor: { sync: { key }, y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
    scales: { x: { range: () => [live.current.around.since, live.current.around.until] }, y: { range: (self) => [0, ticks(self).at(-1) ?? 1] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [
      { ...axis, show: isLast, size: FOOT, gap: 6, space: 70, grid: { show: false }, values: (self, at) => at.map((tick) => moment(self, tick)) },
      { ...axis, size: LEFT, gap: 6, splits: ticks, grid: { stroke: colour("--line"), width: 1 }, values: (_, at) => at.map((tick) => plot.show(tick)) },
    ],
    series: [{}, ...seriesOf(plot)],
    bands: plot.kind === "band" ? [{ series: [2, 1], fill: tint(0.11) }] : [],
    hooks: {
      drawClear: [(self) => ground(self, live.current)],
      draw: [(self) => above(self, live.current)],
      setCursor: [onCursor],
      setSelect: [(self) => self.select.width > 4 && live.current.around.onZoom(self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x"))],
    },
  };
}

/** UTC, like everything else on the page: the time within two days, else the date. */
function moment(plot: uPlot, tick: number): string {
  const [from = 0, until = 0] = [plot.scales["x"]?.min, plot.scales["x"]?.max];
  const text = new Date(tick * 1000).toISOString();
  return until - from > 172_800 ? text.slice(5, 10) : text.slice(11, until - from < 600 ? 19 : 16);
}

const across = (plot: uPlot, from: number, to: number): [number, number] => {
  const { left, width } = plot.bbox;
  const at = (seconds: number) => Math.min(left + width, Math.max(left, plot.valToPos(seconds, "x", true)));
  return [at(from), at(to)];
};

function hatch(ctx: CanvasRenderingContext2D, x: number, y: number, wide: number, high: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, wide, high);
  ctx.clip();
  ctx.fillStyle = colour("--sunken");
  ctx.fillRect(x, y, wide, high);
  ctx.strokeStyle = colour("--line-strong");
  ctx.lineWidth = 1;
  ctx.beginPath();
  const step = 7 * devicePixelRatio;
  for (let at = x - high; at < x + wide; at += step) {
    ctx.moveTo(at, y + high);
    ctx.lineTo(at + high, y);
  }
  ctx.stroke();
  ctx.restore();
}

function ground(plot: uPlot, { around, isFirst }: Live): void {
  const { ctx, bbox } = plot;
  for (const [since, until] of around.gaps) {
    const [from, to] = across(plot, since, until);
    if (to - from < 1) continue;
    hatch(ctx, from, bbox.top, to - from, bbox.height);
    if (isFirst && to - from > 60 * devicePixelRatio) label(plot, T.chart.notSeen, (from + to) / 2, "--faint");
  }
  for (const { from: since, to: until, text } of around.incidents) {
    const [from, to] = across(plot, since, until);
    ctx.save();
    ctx.globalAlpha = 0.1;
    ctx.fillStyle = colour("--unhealthy-mark");
    ctx.fillRect(from, bbox.top, Math.max(2, to - from), bbox.height);
    ctx.restore();
    if (!isFirst) continue;
    ctx.fillStyle = colour("--unhealthy-mark");
    ctx.fillRect(from, bbox.top - 2, Math.max(2, to - from), 2);
    label(plot, text, from, "--unhealthy", true);
  }
}

function label(plot: uPlot, text: string, x: number, ink: string, isBold = false, up = 6): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${isBold ? "600 " : ""}${11 * devicePixelRatio}px system-ui, sans-serif`;
  const half = ctx.measureText(text).width / 2;
  ctx.fillStyle = colour(ink);
  ctx.textAlign = "center";
  ctx.fillText(text, Math.min(bbox.left + bbox.width - half, Math.max(bbox.left + half, x)), bbox.top - up * devicePixelRatio);
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, ink: string, dash: number[], x1: number, y1: number, x2: number, y2: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.strokeStyle = colour(ink);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((each) => each * devicePixelRatio));
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.restore();
}

function above(self: uPlot, { plot, around, isFirst }: Live): void {
  const { ctx, bbox } = self;
  const end = bbox.left + bbox.width;
  if (plot.limit && plot.limit.value <= (self.scales["y"]?.max ?? 0)) {
    const level = self.valToPos(plot.limit.value, "y", true);
    line(ctx, "--soft", [4, 3], bbox.left, level, end, level);
    ctx.save();
    ctx.fillStyle = colour("--soft");
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    const isRoom = right(self.width) > 20;
    ctx.fillText(plot.limit.text, isRoom ? end + 6 * devicePixelRatio : bbox.left + 4, isRoom ? level + 4 * devicePixelRatio : level - 4 * devicePixelRatio);
    ctx.restore();
  }
  for (const { at, text } of around.actions) {
    if (at < around.since || at > around.until) continue;
    const x = self.valToPos(at, "x", true);
    line(ctx, "--accent", [], x, bbox.top - (isFirst ? 16 * devicePixelRatio : 0), x, bbox.top + bbox.height);
    if (isFirst) label(self, text, x, "--accent", false, 20);
  }
  ctx.fillStyle = colour("--unhealthy-mark");
  const floor = bbox.top + bbox.height;
  for (const at of plot.fails ?? []) if (at >= around.since && at <= around.until) ctx.fillRect(self.valToPos(at, "x", true), floor - 6 * devicePixelRatio, 2 * devicePixelRatio, 6 * devicePixelRatio);
}

let keys = 0;

function Row({ plot, around, isFirst, isLast, sync }: Live & { isLast: boolean; sync: string }) {
  const box = useRef<HTMLDivElement>(null);
  const values = useRef<HTMLSpanElement>(null);
  const time = useRef<HTMLSpanElement>(null);
  const chart = useRef<uPlot | null>(null);
  const live = useRef<Live>({ plot, around, isFirst });
  live.current = { plot, around, isFirst };
  const onCursor = (self: uPlot) => {
    const { plot: shown } = live.current;
    const at = self.cursor.idx ?? null;
    const index = at ?? shown.times.length - 1;
    if (values.current) values.current.textContent = readAt(shown, index);
    if (!time.current) return;
    const isIn = at !== null && (self.cursor.left ?? -1) >= 0;
    time.current.hidden = !isIn;
    if (!isIn) return;
    time.current.textContent = clock((shown.times[index] ?? 0) * 1000);
    time.current.style.left = `${(self.cursor.left ?? 0) + LEFT}px`;
  };
  useEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const made = new uPlot(optionsOf(live, node.clientWidth, isLast, sync, onCursor), dataOf(plot), node);
    chart.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height: made.height }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [themeTurn.value, plot.kind, plot.columns.length, plot.high, isLast, isFirst]);
  useEffect(() => chart.current?.setData(dataOf(plot)), [plot.times, around.since, around.until, around.gaps, around.incidents.length, around.actions.length]);
  return (
    <div class={`plot${isFirst ? " first" : ""}`}>
      <div class="ti"><b>{plot.name}</b> <small>{plot.unit}</small><span class="now" ref={values}>{readAt(plot, plot.times.length - 1)}</span></div>
      <div class="canvas" ref={box} role="img" aria-label={T.chart.label(plot.name)} onDblClick={around.onBack}>{isLast && <span class="at" ref={time} hidden />}</div>
    </div>
  );
}

/** The figures at a point, in the order of the columns; a dash where nothing was measured. */
export function readAt({ columns, kind, show }: Plot, index: number): string {
  const each = columns.map(({ values }) => values[index] ?? null);
  if (each.every((value) => value === null)) return T.none;
  const shown = each.map((value) => (value === null ? T.none : show(value)));
  return kind === "stack" ? columns.map((one, at) => `${one.label} ${shown[at] ?? ""}`).join("\n") : shown.join(" – ");
}

export function Stack({ plots, around }: { plots: readonly Plot[]; around: Around }) {
  const sync = useRef(`stack-${keys++}`);
  return (
    <div class="stack">
      {plots.map((plot, index) => <Row key={plot.name + plot.kind} plot={plot} around={around} isFirst={index === 0} isLast={index === plots.length - 1} sync={sync.current} />)}
    </div>
  );
}

/** The same numbers as a table, on request. */
export function Numbers({ plots }: { plots: readonly Plot[] }) {
  const [isOpen, open] = useState(false);
  if (!plots.length) return null;
  return (
    <details class="numbers" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>{T.chart.table}</summary>
      {isOpen && <Figures plots={plots} />}
    </details>
  );
}

function Figures({ plots }: { plots: readonly Plot[] }) {
  const columns = plots.flatMap((plot) => plot.columns.map((column) => ({ plot, column, at: new Map(plot.times.map((time, index) => [time, column.values[index] ?? null])) })));
  const times = [...new Set(plots.flatMap((plot) => plot.times))].sort((a, b) => b - a);
  return (
      <div class="scrolled" tabIndex={0} role="group" aria-label={T.chart.table}>
        <table class="plain">
          <thead><tr><th scope="col">{T.chart.from}</th>{columns.map(({ plot, column }) => <th key={plot.name + column.label} scope="col" class="num">{plot.name} {column.label}, {plot.unit.split(",")[0]}</th>)}</tr></thead>
          <tbody>
            {times.map((time) => (
              <tr key={time}><td>{new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ")}</td>{columns.map(({ plot, column, at }) => {
                const value = at.get(time) ?? null;
                return <td key={plot.name + column.label} class="num">{value === null ? T.none : plot.show(value)}</td>;
              })}</tr>
            ))}
          </tbody>
        </table>
      </div>
  );
}
