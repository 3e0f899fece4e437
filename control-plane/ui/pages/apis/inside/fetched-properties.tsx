import { useQuery } from '@tanstack/react-query';
import { SwitchField } from '../../../kit/field.tsx';
import { Panel } from '../../../kit/page.tsx';
import { SchemaForm } from '../../../kit/schema-form/schema-form.tsx';
import { isObject, type JsonObject, type JsonSchema, withKey } from '../../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../../kit/told.tsx';
import { faultsAt } from '../design/flows.ts';
import { faultsOf } from '../design/use-design.ts';
import { useDrawn } from '../draft/drafted.tsx';
import { writeSection } from '../draft/sections.ts';
import { serviceForm } from '../questions.ts';

const pluginId = 'http-dynamic-properties';
const place = 'services.dynamicProperty';

/** Properties that the control plane asks somebody for, by a schedule. */
export function FetchedProperties() {
  const { designing, isReadOnly } = useDrawn();
  const { data, error } = useQuery(serviceForm(pluginId));
  const { api: of } = designing.design;
  const services = isObject(of['services']) ? of['services'] : {};
  const service = isObject(services['dynamicProperty']) ? services['dynamicProperty'] : undefined;
  const isOn = service !== undefined && service['enabled'] !== false;
  const write = (next: JsonObject | undefined): void => {
    const written = withKey(services, 'dynamicProperty', next);
    writeSection(designing, { services: Object.keys(written).length === 0 ? undefined : written }, place);
  };
  const turn = (next: boolean): void => {
    if (next) write({ type: pluginId, configuration: {}, ...service, enabled: true });
    else write(service && { ...service, enabled: false });
  };
  return (
    <Panel title="Fetched by a schedule">
      <fieldset disabled={isReadOnly}>
        <SwitchField
          label="Fetch properties"
          hint="The control plane asks; what is different then is deployed by itself. A key that is written above stays what it is there."
          isOn={isOn}
          onChange={turn}
        />
      </fieldset>
      {isOn && error !== null && <ProblemBox error={error} />}
      {isOn && data !== undefined && (
        <SchemaForm
          schema={data as JsonSchema}
          value={isObject(service['configuration']) ? service['configuration'] : {}}
          faults={faultsAt(faultsOf(designing, 'api'), `${place}.configuration`)}
          at={`${place}.configuration`}
          isReadOnly={isReadOnly}
          onChange={(configuration) => write({ ...service, configuration })}
        />
      )}
    </Panel>
  );
}
