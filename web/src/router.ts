// Where we are: a page by the hash, and the view's filters in the query, so that both can be shared.
import { signal } from "@preact/signals";

const read = (): string => location.hash.replace(/^#\/?/, "");
const readQuery = (): Record<string, string> => Object.fromEntries(new URLSearchParams(location.search));

export const place = signal(read());
export const query = signal(readQuery());

addEventListener("hashchange", () => {
  place.value = read();
  scrollTo(0, 0);
});

export function go(where: string): void {
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

export function setQuery(name: string, value: string): void {
  const asked = new URLSearchParams(location.search);
  if (value) asked.set(name, value);
  else asked.delete(name);
  history.replaceState(null, "", `${location.pathname}${asked.size ? `?${asked.toString()}` : ""}${location.hash}`);
  query.value = readQuery();
}
