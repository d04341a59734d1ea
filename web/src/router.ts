// Where we are: a page by the hash, and the view's filters in the query, so that both can be shared.
import { signal } from "@preact/signals";

const read = (): string => location.hash.replace(/^#\/?/, "");
const readQuery = (): Record<string, string> => Object.fromEntries(new URLSearchParams(location.search));

/** What belongs to one page only: it does not follow to the next. */
const OWN = ["since", "until", "logs", "chart", "find"];

export const place = signal(read());
export const query = signal(readQuery());

addEventListener("hashchange", () => {
  if (OWN.some((name) => name in query.value) && !isKept) setQueries(Object.fromEntries(OWN.map((name) => [name, ""])));
  isKept = false;
  place.value = read();
  scrollTo(0, 0);
});

addEventListener("popstate", () => (query.value = readQuery()));

let isKept = false;

/** Go to a page; `more` is what the address says of it besides. */
export function go(where: string, more: Record<string, string> = {}): void {
  if (Object.keys(more).length) {
    isKept = where !== read();
    setQueries(more);
  }
  location.hash = where;
}

export const serviceAt = (id: string): string => `service/${encodeURIComponent(id)}`;

export function page(): [name: string, argument: string] {
  const [name = "", ...rest] = place.value.split("/");
  try {
    return [name, decodeURIComponent(rest.join("/"))];
  } catch {
    return [name, ""];
  }
}

export function setQueries(values: Record<string, string>): void {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) asked.set(name, value);
    else asked.delete(name);
  }
  history.replaceState(null, "", `${location.pathname}${asked.size ? `?${asked.toString()}` : ""}${location.hash}`);
  query.value = readQuery();
}

export const setQuery = (name: string, value: string): void => setQueries({ [name]: value });
