// The shapes that the page works with; those of the API come from its own description.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Status = Schemas["Status"];
export type Service = Schemas["ServiceStatus"];
export type Health = Schemas["ServiceHealth"];
export type Attempt = Schemas["Attempt"];
export type Event = Schemas["Event"];
export type Incident = Schemas["Incident"];
export type IncidentLine = Schemas["IncidentPage"]["incidents"][number];
export type AlertLine = Schemas["AlertLine"];
export type Silence = Schemas["Silence"];
export type ReceiverLine = Schemas["ReceiverLine"];
export type DeliveryLine = Schemas["DeliveryLine"];
export type WindowLine = Schemas["WindowLine"];
export type JobLine = Schemas["JobLine"];
export type Job = Schemas["Job"];
export type Series = Schemas["Series"];
export type Latency = Schemas["Latency"];
export type Recent = Schemas["Recent"];
export type SloLine = Schemas["SloLine"];
export type HeartbeatLine = Schemas["HeartbeatLine"];
export type Usage = Schemas["ServiceUsage"];
export type Phases = Schemas["ServicePhases"];
export type Step = Schemas["Step"];
export type Uptimes = Schemas["ServiceUptime"];

export interface Beat {
  at: string | null;
  status: Status;
  ms: number | null;
}
