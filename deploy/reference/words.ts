import { auditEvents } from '../../control-plane/management/audit/events.ts';
import { codes, type Code } from '../../proto/faults/codes.ts';
import { gatewayEvents } from '../../proto/model/gateway-events.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Every fault code with its status, what it says and what to do, as Markdown. */
export function faultReference(): string {
  const rows = Object.entries<Code>(codes).map(
    ([code, { status, owner, text, hint = '' }]) =>
      `| \`${code}\` | ${status} | ${owner} | ${cell(text)} | ${cell(hint)} |\n`,
  );
  return `# Faults

Generated from \`proto/faults/codes.ts\` by \`npm run generate\`; do not edit.

What doors answer (\`technicalCode\`) and commands print. The status is that of a door; the owner is who has to act. What gateways answer
to callers of APIs has keys of its own: [policies](policies/README.md).

| code | status | owner | says | what to do |
|---|---|---|---|---|
${rows.join('')}`;
}

/** What the audit tells of, and what is reported of gateways, as Markdown. */
export function eventReference(): string {
  const table = (events: Readonly<Record<string, string>>): string =>
    Object.entries(events)
      .map(([name, text]) => `| \`${name}\` | ${cell(text)} |\n`)
      .join('');
  return `# Events

Generated from \`control-plane/management/audit/events.ts\` and \`proto/model/gateway-events.ts\` by \`npm run generate\`; do not edit.

## Audit

Who changed what; written in the transaction of the change.

| event | says |
|---|---|
${table(auditEvents)}
## Gateways

\`GET .../fleets/{id}/events\`: what a gateway did that it should not, and what was found in what it sent.

| kind | says |
|---|---|
${table(gatewayEvents)}`;
}
