// The services as tiles: what is not well large and first, then the groups; sixty fit a screen.
import { memo } from "preact/compat";
import { useEffect, useRef, useState } from "preact/hooks";
import { isStale } from "../feed";
import { linesOf } from "../fleet";
import type { Service } from "../model";
import { serviceAt } from "../router";
import { T } from "../text";
import { Age, Beats, Flag, Mark } from "../ui/marks";
import { usePart } from "../ui/windowed";
import { figure, reason } from "../words";

const TILE = 146;
const GAP = 6;
const LABEL = 104;
const TILE_HIGH = 52;
const GROUP_HIGH = 17;
const NARROW = 640;

const BadTile = memo(function BadTile({ one }: { one: Service }) {
  return (
    <a class={`tile wide ${one.status}`} data-id={one.id} href={`#${serviceAt(one.id)}`}>
      <span class="a"><Mark status={one.status} isNamed /><b class="cut">{one.name}</b><span class="v"><Age at={one.since} /></span></span>
      <span class={`why st-${one.status}`}>{reason(one)}</span>
      <span class="b2"><span>{one.critical && <Flag />}</span><Beats one={one} isWide /></span>
    </a>
  );
});

const Tile = memo(function Tile({ one }: { one: Service }) {
  return (
    <a class="tile" data-id={one.id} href={`#${serviceAt(one.id)}`} title={one.name}>
      <span class="a"><Mark status={one.status} isNamed /><span class="cut">{one.name}</span><span class="v">{figure(one.response_time_ms)}</span></span>
      <span class="b2"><span>{one.critical && <Flag />}</span><Beats one={one} count={30} isWide /></span>
    </a>
  );
});

interface Strip {
  group: string;
  label: string;
  isFirst: boolean;
  tiles: Service[];
}

/** Groups cut into rows of tiles, so that rows far from the screen can be left out. */
function stripsOf(shown: readonly Service[], columns: number): [bad: Service[], strips: Strip[]] {
  const bad: Service[] = [];
  const strips: Strip[] = [];
  let label = "";
  let group = "";
  for (const line of linesOf(shown)) {
    if (line.kind === "group") {
      group = line.name || T.overview.ungrouped;
      label = T.overview.ofAll(line.well, line.all);
      strips.push({ group, label, isFirst: true, tiles: [] });
    } else if (line.one.status !== "Healthy") bad.push(line.one);
    else {
      const last = strips.at(-1);
      if (last && last.tiles.length < columns) last.tiles.push(line.one);
      else strips.push({ group, label, isFirst: !last, tiles: [line.one] });
    }
  }
  return [bad, strips];
}

export function Grid({ shown }: { shown: readonly Service[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [wide, setWide] = useState(innerWidth - 200);
  useEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const watcher = new ResizeObserver(() => setWide(node.clientWidth));
    watcher.observe(node);
    return () => watcher.disconnect();
  }, []);
  const isNarrow = wide < NARROW;
  const hasGroups = shown.some((one) => one.group);
  const room = hasGroups && !isNarrow ? wide - LABEL : wide;
  const columns = isNarrow ? 2 : Math.max(1, Math.floor((room + GAP) / (TILE + GAP)));
  const [bad, strips] = stripsOf(shown, columns);
  const part = usePart(strips.map((strip) => TILE_HIGH + (strip.isFirst ? GROUP_HIGH : 0)), () => (box.current?.getBoundingClientRect().top ?? 0) + scrollY, shown.length);
  const across = isNarrow ? 1 : Math.min(3, Math.max(1, bad.length, Math.floor(wide / 420)));
  return (
    <>
      {bad.length > 0 && <div class="att" style={{ gridTemplateColumns: `repeat(${across}, minmax(0, 1fr))` }}>{bad.map((one) => <BadTile key={one.id} one={one} />)}</div>}
      <div ref={box} class={isStale.value ? "tiles old" : "tiles"} style={{ paddingTop: `${part.above}px`, paddingBottom: `${part.below}px` }}>
        {strips.slice(part.from, part.to).map((strip, index) => (
          <div key={part.from + index} class={`gg${strip.isFirst ? " first" : ""}${hasGroups ? "" : " bare"}`}>
            {hasGroups && <div class="lab">{strip.isFirst && <><b>{strip.group}</b>{strip.label}</>}</div>}
            <div class="line" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>{strip.tiles.map((one) => <Tile key={one.id} one={one} />)}</div>
          </div>
        ))}
      </div>
      <p class="legend">{T.overview.legend}</p>
    </>
  );
}
