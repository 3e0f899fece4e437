import { z } from 'zod';

import { callOptions } from '../../resources/calls.ts';
import { fetchFields, type FetchSource, transformationSchema } from '../fetched/source.ts';
import { choice, isOff, orJsonText, section } from '../sections.ts';
import { readSchedule, scheduleSchema } from './schedule.ts';

/** Where properties are fetched from, and when. */
export const dynamicPropertiesSchema = section({
  schedule: scheduleSchema.default('*/30 * * * * *'),
  ...fetchFields,
  transformation: transformationSchema.default(''),
  // The way out is that of the control plane (`outbound.proxy`), whatever stands here.
  systemProxy: z.boolean().default(false),
  ...callOptions,
});

const serviceSchema = section({
  enabled: z.boolean().default(true),
  type: choice(['http-dynamic-properties']),
  overrideConfiguration: z.boolean().default(false),
  configuration: orJsonText(dynamicPropertiesSchema),
});

/** What is done for an API as a whole; absent when nothing is. A control plane does it: gateways get its properties and not this. */
export const apiServicesSchema = section({
  dynamicProperty: z.preprocess((value) => (isOff(value) ? undefined : value), serviceSchema.optional()),
})
  .transform(({ dynamicProperty }) => (dynamicProperty === undefined ? undefined : { dynamicProperty }))
  .optional();

/** See {@link apiServicesSchema}. */
export type ApiServices = z.output<typeof apiServicesSchema>;

/** Where properties of an API are fetched from; undefined when they are not. */
export function propertySourceOf(services: ApiServices): FetchSource | undefined {
  if (services === undefined) return undefined;
  const { schedule, http, ...asked } = services.dynamicProperty.configuration;
  const read = readSchedule(schedule);
  return {
    ...asked,
    answerMs: http.connectTimeout + http.readTimeout,
    nextMs: (afterMs) => (typeof read === 'string' ? undefined : read.nextMs(afterMs)),
  };
}
