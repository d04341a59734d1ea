// A chart of answer times: ink only, from zero; what was not seen is a gap, a failed check a tick on the floor.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Series } from "../model";
import { clock, figure } from "../words";

interface Marked {
  at: string;
  text: string;
}

interface Props {
  series: Series;
  expected: number;
  marks: Marked[];
  onZoom: (since: number, until: number) => void;
}

const HEIGHT = 220;
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(props: Props, width: number): uPlot.Options {
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
    scales: { x: { range: () => [Date.parse(props.series.since) / 1000, Date.parse(props.series.until) / 1000] }, y: { range: (_plot, _low, high) => [0, topOf(high, props.expected)] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [{ ...axis, values: (plot, ticks) => ticks.map((tick) => moment(plot, tick)) }, { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => `${figure(tick)} ms`) }],
    series: [
      {},
      { stroke: colour("--text"), width: 1.5, points: { show: props.series.points.length < 60, size: 4 } },
      { stroke: colour("--faint"), width: 1, points: { show: false } },
    ],
    hooks: {
      drawClear: [(plot) => shade(plot, props)],
      draw: [(plot) => marks(plot, props)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 5) return;
          props.onZoom(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
        },
      ],
    },
  };
}

/** What is expected is in the picture where the figures come near it; else they would be a line on the floor. */
export const topOf = (high: number, expected: number): number =>
  (high * 4 > expected || high <= 0 ? Math.max(high, expected) : high * 1.5) * 1.1;

/** UTC, like everything else on the page: the time within two days, else the date. */
function moment(plot: uPlot, tick: number): string {
  const [from = 0, until = 0] = [plot.scales["x"]?.min, plot.scales["x"]?.max];
  const text = new Date(tick * 1000).toISOString();
  return until - from > 172_800 ? text.slice(5, 10) : text.slice(11, 16);
}

/** Incidents as shaded stretches, and time that was not seen. */
function shade(plot: uPlot, { series }: Props): void {
  const tints: Record<string, string> = { Unhealthy: "--unhealthy-tint", Degraded: "--degraded-tint", Unknown: "--unknown-tint" };
  const { ctx, bbox } = plot;
  for (const stretch of series.statuses) {
    const tint = tints[stretch.status];
    if (!tint) continue;
    const from = Math.max(plot.valToPos(Date.parse(stretch.started_at) / 1000, "x", true), bbox.left);
    const to = Math.min(plot.valToPos(Date.parse(stretch.ended_at) / 1000, "x", true), bbox.left + bbox.width);
    ctx.fillStyle = colour(tint);
    ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
  }
}

function marks(plot: uPlot, props: Props): void {
  const { ctx, bbox } = plot;
  ctx.save();
  const level = plot.valToPos(props.expected, "y", true);
  if (level >= bbox.top) line(ctx, colour("--soft"), [4, 4], bbox.left, level, bbox.left + bbox.width, level);
  for (const mark of props.marks) {
    const at = plot.valToPos(Date.parse(mark.at) / 1000, "x", true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    line(ctx, colour("--accent"), [], at, bbox.top, at, bbox.top + bbox.height);
    ctx.fillStyle = colour("--accent");
    ctx.fillText(mark.text, at + 4, bbox.top + 10);
  }
  for (const point of props.series.points) {
    if (!point.latency.failures) continue;
    const at = plot.valToPos(Date.parse(point.at) / 1000, "x", true);
    line(ctx, colour("--unhealthy-mark"), [], at, bbox.top + bbox.height - 8, at, bbox.top + bbox.height);
  }
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, stroke: string, dash: number[], x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath();
  ctx.strokeStyle = stroke;
  ctx.setLineDash(dash);
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const times = props.series.points.map((point) => Date.parse(point.at) / 1000);
    const data: uPlot.AlignedData = [
      times,
      props.series.points.map((point) => point.latency.p50_ms ?? point.latency.average_ms),
      props.series.points.map((point) => point.latency.p95_ms ?? point.latency.max_ms),
    ];
    const plot = new uPlot(options(props, node.clientWidth), data, node);
    const watcher = new ResizeObserver(() => plot.setSize({ width: node.clientWidth, height: HEIGHT }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [props.series, props.expected, props.marks.length]);
  return <div class="chart" ref={box} role="img" aria-label="Answer times; the same as a table below" />;
}

/** The same numbers as a table, on request. */
export function Numbers({ series }: { series: Series }) {
  return (
    <details>
      <summary>The same as a table</summary>
      <div class="scrolled">
        <table class="plain">
          <thead>
            <tr>{["From, UTC", "Checks", "Failed", "Median, ms", "p95, ms", "p99, ms"].map((head) => <th key={head} scope="col" class="number">{head}</th>)}</tr>
          </thead>
          <tbody>
            {series.points.map(({ at, latency }) => (
              <tr key={at}>
                <td class="number">{clock(at)}</td>
                <td class="number">{latency.count}</td>
                <td class="number">{latency.failures}</td>
                <td class="number">{figure(latency.p50_ms)}</td>
                <td class="number">{figure(latency.p95_ms)}</td>
                <td class="number">{figure(latency.p99_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
