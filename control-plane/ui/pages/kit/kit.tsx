import { Bell, Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Problem } from '../../api/problem.ts';
import { Bars } from '../../kit/bars.tsx';
import { Button, IconButton } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
import { Copy, CopyVerb } from '../../kit/copy.tsx';
import { Effects, FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { AreaField, FilterBox, SelectField, SwitchField, TextField } from '../../kit/field.tsx';
import { Menu } from '../../kit/menu.tsx';
import { count, duration, share, unknown } from '../../kit/numbers.ts';
import { Body, Columns, Facts, Figures, PageHeader, Panel, Toolbar } from '../../kit/page.tsx';
import { type Choice, SearchField } from '../../kit/search-field.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Share, Status, Tag, type Tone } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { TimeChart } from '../../kit/time-chart.tsx';
import { Empty, Note, ProblemBox } from '../../kit/told.tsx';
import { Forms } from './forms.tsx';
import styles from './kit.module.css';

/** Every part of the kit in every state, to be looked at side by side; no menu leads here. */
export function Kit() {
  return (
    <main className={styles['kit']}>
      <PageHeader title="Kit" sub="Every part, in every state" />
      <Body>
        <Columns>
          <Buttons />
          <Statuses />
          <Fields />
          <Told />
          <Dialogs />
          <Figured />
        </Columns>
        <Tables />
        <Charts />
        <Forms />
      </Body>
    </main>
  );
}

const Row = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles['row']}>{children}</div>
);

function Buttons() {
  const [shown, setShown] = useState<'one' | 'two' | 'three'>('one');
  return (
    <Panel title="Buttons, menus, segments">
      <Row>
        <Button look="primary">
          <Plus size={16} aria-hidden />
          Primary
        </Button>
        <Button>Plain</Button>
        <Button look="danger">Dangerous</Button>
        <Button look="quiet">Quiet</Button>
      </Row>
      <Row>
        <Button look="primary" disabled>
          Primary, off
        </Button>
        <Button disabled>Plain, off</Button>
        <Button size="small">Small</Button>
        <Button size="large">Large</Button>
        <IconButton label="A picture alone">
          <Bell size={16} aria-hidden />
        </IconButton>
      </Row>
      <Row>
        <Menu
          trigger={<Button>Menu</Button>}
          head="What it is about"
          items={[
            { id: 'one', label: 'One thing', onChoose: () => undefined },
            { id: 'two', label: 'Another thing', onChoose: () => undefined },
          ]}
        />
        <Segments
          label="Segments"
          segments={[
            ['one', 'One'],
            ['two', 'Two'],
            ['three', 'Three'],
          ]}
          value={shown}
          onChoose={setShown}
        />
        <Copy text="copied-by-a-click" />
        <CopyVerb verb="Copy" text="copied" />
        <kbd>Ctrl K</kbd>
      </Row>
    </Panel>
  );
}

const tones: readonly (readonly [Tone, string])[] = [
  ['ok', 'In sync'],
  ['warn', 'Pending'],
  ['bad', 'Refused'],
  ['info', 'Deploying'],
  ['idle', 'Stopped'],
];

function Statuses() {
  return (
    <Panel title="States">
      <Row>
        {tones.map(([tone, word]) => (
          <Status key={tone} tone={tone}>
            {word}
          </Status>
        ))}
      </Row>
      <Row>
        {tones.map(([tone, word]) => (
          <Status key={tone} tone={tone} isPill>
            {word}
          </Status>
        ))}
      </Row>
      <Row>
        {tones.map(([tone], at) => (
          <Share key={tone} part={at} whole={4} tone={tone} />
        ))}
        <Tag>a tag</Tag>
      </Row>
    </Panel>
  );
}

const choices: readonly Choice[] = [
  { id: 'a', name: 'Quayside app', about: 'team-rates' },
  { id: 'b', name: 'Carrier <b>portal</b>', about: 'operator' },
];

function Fields() {
  const [isOn, setOn] = useState(true);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<Choice>();
  return (
    <Panel title="Fields">
      <div className={styles['fields']}>
        <TextField label="Text" hint="What helps" placeholder="e.g. Rates" />
        <TextField label="Optional, with a mark" isOptional mark="expression" defaultValue="{#request.id}" />
        <TextField label="Wrong" defaultValue="-5" error="must be at least 0" />
        <TextField label="Off" defaultValue="Gold" disabled />
        <SelectField
          label="One of a few"
          options={[
            ['a', 'This'],
            ['b', 'That'],
          ]}
        />
        <SearchField
          label="One of many"
          choices={choices}
          value={chosen}
          onChoose={setChosen}
          onSearch={() => undefined}
        />
        <AreaField label="Lines" rows={2} defaultValue={'{\n  "a": 1 }'} />
        <SwitchField label="On or off" isOn={isOn} onChange={setOn} />
        <FilterBox label="Filter" value={text} onChange={setText} />
      </div>
    </Panel>
  );
}

const refused = new Problem(
  {
    httpStatus: 400,
    message: 'The definition is not valid.',
    technicalCode: 'request.invalid',
    parameters: { hint: 'Correct what is named.' },
    details: [{ location: 'flows[0].request[1].policy', message: 'is not known' }],
  },
  '01JDA4-0K7M',
);

function Told() {
  return (
    <Panel title="What is told">
      <div className={styles['fields']}>
        <ProblemBox error={refused} />
        <ProblemBox error={new Error('the wire is cut')} />
        <Note>
          You can read this plan. Changing it needs <b>PLAN, update</b>.
        </Note>
        <Code label="curl" text={'curl "$GATEWAY"/rates \\\n  -H \'X-Api-Key: …\''} />
        <Facts
          facts={[
            ['Path', <Copy key="path" text="/rates/v3" />],
            [
              'Description',
              <span key="none" className="quiet">
                none
              </span>,
            ],
          ]}
        />
      </div>
    </Panel>
  );
}

const idle = { mutate: () => undefined, isPending: false, error: null };

function Dialogs() {
  const [shown, setShown] = useState<'form' | 'danger' | 'told'>();
  const onClose = (): void => setShown(undefined);
  return (
    <Panel title="Dialogs">
      <Row>
        <Button onClick={() => setShown('form')}>A form</Button>
        <Button onClick={() => setShown('danger')}>Something dangerous</Button>
        <Button onClick={() => setShown('told')}>Something told</Button>
      </Row>
      <FormDialog
        title="Create application"
        about="Nothing is made here."
        isOpen={shown === 'form'}
        onClose={onClose}
        submit={{ verb: 'Create application', mutation: { ...idle, error: refused } }}
      >
        <TextField label="Name" />
      </FormDialog>
      <FormDialog
        title="Close plan Gold?"
        isOpen={shown === 'danger'}
        onClose={onClose}
        submit={{ verb: 'Close plan', mutation: idle, isDangerous: true, isReady: false }}
      >
        <Effects
          effects={[
            ['4', 'applications lose access at once'],
            ['–', 'keys stop working, none can be restored'],
          ]}
        />
      </FormDialog>
      <ToldDialog title="Told" about="To be read." isOpen={shown === 'told'} onClose={onClose}>
        <p>Words.</p>
      </ToldDialog>
    </Panel>
  );
}

function Figured() {
  return (
    <Panel title="Figures">
      <Figures
        figures={[
          ['Requests', count(312_400)],
          ['Errors', share(31, 10_000)],
          ['p99', duration(84)],
          ['Unknown', unknown],
        ]}
      />
    </Panel>
  );
}

interface Line {
  readonly name: string;
  readonly figure: number;
}

const lines: readonly Line[] = [
  { name: 'Rates and quotes', figure: 9_204 },
  { name: '<img src=x onerror=alert(1)>', figure: 0 },
];

const columns = [
  { title: 'Name', sort: 'name', cell: ({ name }: Line) => name },
  { title: 'Requests', align: 'end' as const, cell: ({ figure }: Line) => count(figure).value },
];

function Tables() {
  const [page, setPage] = useState(1);
  const keyOf = ({ name }: Line): string => name;
  return (
    <Columns>
      <Panel title="A list" isBare>
        <Toolbar end={<Button size="small">Add</Button>}>
          <FilterBox label="Filter rows" value="" onChange={() => undefined} />
        </Toolbar>
        <DataTable
          label="A list"
          isInner
          {...{ columns, keyOf }}
          rows={lines}
          sortBy="name"
          onSort={() => undefined}
          paging={{ page, perPage: 2, total: 10_000, onPage: setPage }}
        />
      </Panel>
      <Panel title="A list that is awaited" isBare>
        <DataTable label="Awaited" isInner {...{ columns, keyOf }} rows={undefined} />
      </Panel>
      <Panel title="A list without rows" isBare>
        <DataTable
          label="Empty"
          isInner
          {...{ columns, keyOf }}
          rows={[]}
          empty={
            <Empty title="No applications yet" action={<Button look="primary">Create application</Button>}>
              An application is who calls.
            </Empty>
          }
        />
      </Panel>
      <Panel title="A list that was refused, over what was there" isBare>
        <DataTable label="Refused" isInner {...{ columns, keyOf }} rows={lines} error={refused} />
      </Panel>
    </Columns>
  );
}

const hourMs = 3_600_000;
const hours = Array.from({ length: 24 }, (_, hour) => hour * hourMs);
const wave = (height: number): readonly number[] => hours.map((_, at) => height * (1 + (at % 6)));
const noZoom = (): void => undefined;

function Charts() {
  return (
    <Columns>
      <TimeChart
        title="A stack"
        stepsMs={hours}
        stepMs={hourMs}
        look="stack"
        say={count}
        onZoom={noZoom}
        series={[
          { name: '2xx', color: '--series-2', values: wave(40) },
          { name: '5xx', color: '--bad', values: wave(4) },
        ]}
      />
      <TimeChart
        title="Lines, with a gap"
        stepsMs={hours}
        stepMs={hourMs}
        look="lines"
        say={duration}
        onZoom={noZoom}
        series={[
          {
            name: 'p99',
            color: '--series-1',
            values: wave(30).map((value, at) => (at === 12 ? undefined : value)),
          },
          { name: 'p50', color: '--series-5', values: wave(3) },
        ]}
      />
      <Panel title="Bars" isBare>
        <Bars
          label="Bars"
          heads={['Name', 'Calls', 'p95']}
          bars={[
            { key: 'one', name: 'The first of them', part: 1, figures: [count(120_000), duration(84)] },
            { key: 'two', name: 'Another', part: 0.2, figures: [count(24_000), unknown] },
          ]}
        />
      </Panel>
    </Columns>
  );
}
