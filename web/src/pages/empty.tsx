// Nothing is watched: what to write, with the lines to copy.
import { useState } from "preact/hooks";
import { T } from "../text";
import { Say, Section } from "../ui/pieces";

const LINES = `[[services]]
id = "fks_api"
name = "FKS API"
health_endpoint = "http://fks_api:8000/health"
service_type = "Api"
docker_container = "fks_api"
critical = true
`;

function Copy({ text }: { text: string }) {
  const [isDone, done] = useState(false);
  return <button class="btn s" onClick={() => void navigator.clipboard.writeText(text).then(() => done(true), () => undefined)}>{isDone ? T.empty.copied : T.empty.copy}</button>;
}

export function Empty() {
  return (
    <>
      <Say head={T.sentence.empty} rest={T.sentence.emptyRest} />
      <div class="cols half">
        <Section title={T.empty.lines} aside={<Copy text={LINES} />}><pre class="code">{LINES}</pre><p class="soft small">{T.empty.read}</p></Section>
        <div>
          <Section title={T.empty.check}><pre class="code">fks_master validate config/monitor.toml</pre></Section>
          <Section title={T.empty.demo}><pre class="code">fks_master demo</pre><p class="soft small">{T.empty.demoSays}</p></Section>
        </div>
      </div>
    </>
  );
}
