import { refusals } from '../../data-plane/http/message/refusal.ts';

const introduction = `# Refusals

Generated from \`message/refusal.ts\` by \`npm run generate\`; do not edit. Every reason has cases in \`conformance/cases/\` or a test in
\`limits.test.ts\`; \`conformance/tables.test.ts\` looks that none is without.

The request is answered with the status and the connection is closed; with 0 nothing is answered and the connection is reset. The reason is in the access record (\`error_message\`) and in
\`isthmus_gateway_malformed_total\`.

| reason | status | because |
|---|---|---|
`;

/** The table of what the HTTP engine refuses, as Markdown. */
export function refusalReference(): string {
  const rows = Object.entries(refusals).map(
    ([reason, { status, section }]) => `| \`${reason}\` | ${status} | ${section.replaceAll('|', '\\|')} |\n`,
  );
  return introduction + rows.join('');
}
