// What a chart draws beside its lines: time not seen, incidents, actions, limits, failed checks. Ink but for what hurts.
import type uPlot from "uplot";
import { T } from "../text";
import { topOf, type Stretch, type Values } from "./scale";

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
  /** From when on it is known at all, where that is later than for the others. */
  known?: number;
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

export interface Live {
  plot: Plot;
  around: Around;
  isFirst: boolean;
  /** Room at the right for the names of limits. */
  isRoomy: boolean;
}

export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Ink, let through: the tokens are written as #rrggbb. */
export const tint = (share: number): string => colour("--text") + Math.round(share * 255).toString(16).padStart(2, "0");
export const fontOf = (pixels: number, isBold = false): string => `${isBold ? "600 " : ""}${pixels}px ${getComputedStyle(document.body).fontFamily}`;

/** What is expected is drawn where the figures come near it. */
export function isLimited({ limit, columns }: Plot): boolean {
  if (!limit) return false;
  let most = 0;
  for (const { values } of columns) for (const value of values) if (value !== null && value > most) most = value;
  return topOf(most, limit.value) >= limit.value;
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

/** One that is known from later on was not seen before that. */
function gapsOf({ known }: Plot, { since, gaps }: Around): readonly Stretch[] {
  if (known === undefined) return gaps;
  return [[since, known], ...gaps.flatMap(([from, to]): Stretch[] => (to > known ? [[Math.max(from, known), to]] : []))];
}

export function ground(plot: uPlot, { plot: plotted, around, isFirst }: Live): void {
  const { ctx, bbox } = plot;
  for (const [since, until] of gapsOf(plotted, around)) {
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
  ctx.font = fontOf(11 * devicePixelRatio, isBold);
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

export function above(self: uPlot, { plot, around, isFirst, isRoomy }: Live): void {
  const { ctx, bbox } = self;
  const end = bbox.left + bbox.width;
  if (plot.limit && plot.limit.value <= (self.scales["y"]?.max ?? 0)) {
    const level = self.valToPos(plot.limit.value, "y", true);
    line(ctx, "--soft", [4, 3], bbox.left, level, end, level);
    ctx.save();
    ctx.fillStyle = colour("--soft");
    ctx.font = fontOf(11 * devicePixelRatio);
    const isRoom = isRoomy && end + 40 * devicePixelRatio < ctx.canvas.width;
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
