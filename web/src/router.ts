// Where we are: a page by the hash, and the view's filters in the query, so that both can be shared.
import { signal } from "@preact/signals";

const read = (): string => location.hash.replace(/^#\/?/, "");
const readQuery = (): Record<string, string> => Object.fromEntries(new URLSearchParams(location.search));

/** What belongs to one page only: it does not follow to the next. */
const OWN = ["since", "until", "logs", "chart", "find"];
const SETTLED_MS = 150;

export const place = signal(read());
export const query = signal(readQuery());

/** What the browser's history keeps of an entry: how far down it was. One that was just made has nothing yet. */
interface Kept {
  top: number;
}

const isKept = (state: unknown): state is Kept => typeof state === "object" && state !== null && "top" in state;
const addressOf = (asked: URLSearchParams, hash: string): string => `${location.pathname}${asked.size ? `?${asked.toString()}` : ""}${hash}`;
const keep = (): void => history.replaceState({ top: scrollY } satisfies Kept, "");

let isCarried = false;
let settled: ReturnType<typeof setTimeout> | undefined;

/** A new page begins at its top, without what belonged to the last one; going back finds both as they were left. */
function arrive(): void {
  clearTimeout(settled);
  const state: unknown = history.state;
  const isBack = isKept(state);
  query.value = readQuery();
  if (!isBack && !isCarried) setQueries(Object.fromEntries(OWN.map((name) => [name, ""])));
  isCarried = false;
  place.value = read();
  if (isBack) requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, state.top)));
  else {
    scrollTo(0, 0);
    keep();
  }
}

export function watchPlace(): void {
  history.scrollRestoration = "manual";
  keep();
  addEventListener("popstate", arrive);
  addEventListener("scroll", () => {
    clearTimeout(settled);
    settled = setTimeout(keep, SETTLED_MS);
  }, { passive: true });
}

/** Go to a page; `more` is what the address says of it besides. */
export function go(where: string, more: Record<string, string> = {}): void {
  if (where === read()) return setQueries(more);
  keep();
  const none = Object.fromEntries(OWN.map((name) => [name, ""]));
  history.pushState(null, "", addressOf(changed({ ...none, ...more }), where && `#${where}`));
  isCarried = true;
  arrive();
}

export const serviceAt = (id: string): string => `service/${encodeURIComponent(id)}`;
export const incidentAt = (id: string): string => `incident/${encodeURIComponent(id)}`;

export function page(): [name: string, argument: string] {
  const [name = "", ...rest] = place.value.split("/");
  return [name, decoded(rest.join("/"))];
}

/** Of what no browser would have written, nothing. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function changed(values: Record<string, string>): URLSearchParams {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) asked.set(name, value);
    else asked.delete(name);
  }
  return asked;
}

export function setQueries(values: Record<string, string>): void {
  history.replaceState(history.state, "", addressOf(changed(values), location.hash));
  query.value = readQuery();
}

export const setQuery = (name: string, value: string): void => setQueries({ [name]: value });
