// Of a long list of rows with known heights, those that are near the screen; the others are room above and below.
import { useEffect, useState } from "preact/hooks";

const FEWEST = 200;
const MARGIN = 500;

export interface Part {
  from: number;
  to: number;
  above: number;
  below: number;
}

export function partOf(heights: readonly number[], top: number, bottom: number): Part {
  let above = 0;
  let from = 0;
  while (from < heights.length && above + (heights[from] ?? 0) < top) above += heights[from++] ?? 0;
  let to = from;
  let end = above;
  while (to < heights.length && end < bottom) end += heights[to++] ?? 0;
  let below = 0;
  for (let index = to; index < heights.length; index++) below += heights[index] ?? 0;
  return { from, to, above, below };
}

/** `count` is how many things the rows hold, where a row holds several. */
export function usePart(heights: readonly number[], listTop: () => number, count = heights.length): Part {
  const [scrolled, setScrolled] = useState(scrollY);
  const isLong = count > FEWEST;
  useEffect(() => {
    if (!isLong) return undefined;
    const read = () => setScrolled(Math.round(scrollY / 100) * 100);
    addEventListener("scroll", read, { passive: true });
    return () => removeEventListener("scroll", read);
  }, [isLong]);
  if (!isLong) return { from: 0, to: heights.length, above: 0, below: 0 };
  const top = scrolled - listTop();
  return partOf(heights, top - MARGIN, top + innerHeight + MARGIN);
}
