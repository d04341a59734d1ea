// What people do to services, and what came of it. One action at a time for each service.
import { signal } from "@preact/signals";
import { ask, Refusal } from "./api";
import { onEvent, said, services } from "./feed";
import { isKeyOpen } from "./dialogs";

export type Action = "restart" | "start" | "stop";

export interface Story {
  text: string;
  isRunning: boolean;
  isFailure: boolean;
}

/** The action that is asked about, in its button's place. */
export const asking = signal<{ id: string; action: Action } | null>(null);
export const stories = signal<ReadonlyMap<string, Story>>(new Map());

export function tell(id: string, story: Story | null): void {
  const told = new Map(stories.value);
  if (story) told.set(id, story);
  else told.delete(id);
  stories.value = told;
}

export const whoNeeds = (id: string): string[] =>
  [...services.value.values()].filter((one) => one.depends_on.includes(id)).map((one) => one.name);

export async function act(id: string, action: Action): Promise<void> {
  asking.value = null;
  tell(id, { text: `${action} requested`, isRunning: true, isFailure: false });
  try {
    await ask(`/api/services/${encodeURIComponent(id)}/${action}`, "POST");
    tell(id, { text: `${action} done, waiting for the next check`, isRunning: action !== "stop", isFailure: false });
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) isKeyOpen.value = true;
    tell(id, { text: `${action} failed: ${(error as Error).message}`, isRunning: false, isFailure: true });
  }
  said.value = stories.value.get(id)?.text ?? "";
}

onEvent((event) => {
  if (event.service_id && event.event_type === "ServiceRestarted")
    tell(event.service_id, { text: event.message, isRunning: false, isFailure: event.data["success"] === false });
  if (["ServiceDown", "ServiceUp", "ServiceRestarted"].includes(event.event_type)) said.value = event.message;
});
