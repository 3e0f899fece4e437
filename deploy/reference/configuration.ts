import { settingsOf, variableOf, type Setting } from '../../proto/process/config.ts';
import { processNames, processSchemas } from '../processes.ts';

const introduction = `# Configuration

Generated from the schemas of the processes by \`npm run generate\`; do not edit.

Defaults < YAML file (\`--config\`) < environment < flags (\`--set path=value\`). A file holds a section per process
(\`gateway:\`, \`control-plane:\` ...) or one process's keys at the top. Variables are named after the path:
\`listen.port\` of the gateway is \`ISTHMUS_GATEWAY__LISTEN__PORT\`; \`ISTHMUS_DATA_DIR\` sets \`dataDir\` of any process.
Lists in variables are comma-separated or JSON. Unknown keys are errors that name the nearest key. \`isthmus config
--print\` shows every value with its source; secrets print as \`***\`.

Other variables: \`ISTHMUS_ADMIN_PASSWORD\` (password of the first user, used at first boot only),
\`ISTHMUS_NEW_PASSWORD\` (for \`isthmus reset-password\` and \`isthmus break-glass\`),
\`ISTHMUS_ENROLMENT_TOKEN\` (for \`isthmus enroll\`), \`HTTPS_PROXY\` and \`NO_PROXY\` (when \`outbound.proxy.url\` is not set).
`;

/** The reference of every setting of every process, as Markdown. */
export function configurationReference(): string {
  const sections = processNames.map((name) => {
    const settings = settingsOf(processSchemas[name]).filter(({ isFormer }) => !isFormer);
    const rows = settings.map((setting) => row(name, setting));
    return `## ${name}\n\n| setting | takes | default | meaning |\n|---|---|---|---|\n${rows.join('')}`;
  });
  return [introduction, ...sections].join('\n');
}

function row(process: string, setting: Setting): string {
  const { path, takes, byDefault, description, isSecret } = setting;
  const cells = [
    `\`${path}\`<br>\`${variableOf(process, path)}\``,
    `${takes}${isSecret ? ' (secret)' : ''}`,
    byDefault === undefined ? '' : `\`${byDefault}\``,
    description,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;
}
