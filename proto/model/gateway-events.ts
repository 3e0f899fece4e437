/** What a gateway did that it should not, and what was found in what it sent, by kind; each says what an operator should think of. */
export const gatewayEvents = {
  'identity.cloned':
    'Two processes hold one identity; one of them was refused. `isthmus fleet reseat` settles which.',
  'assertion.replayed':
    'An assertion was presented a second time: somebody copied it on its way, or a proxy repeats requests.',
  'assertion.bad_signature': 'An assertion was not signed by the key of the gateway that it names.',
  'assertion.wrong_audience':
    'An assertion was made for another bridge; `publicUrls` of this one may lack a name that gateways dial.',
  'grant.environment_refused': 'It asked for or spoke of environments that its fleet was not granted.',
  'grant.tag_refused': 'It asked for tags that its fleet was not granted.',
  'upload.wrong_tenant': 'It uploaded records of an environment that is not its own; they were refused.',
  'upload.hash_mismatch': 'What arrived was not what it announced; it was refused and is sent again.',
  'upload.replaced': 'The bucket held half of an earlier upload; it was replaced by the whole.',
  'upload.conflict': 'It uploaded other records under a range that is taken; the first stay.',
  'records.quarantined':
    'An uploaded object could not be read as records; it lies under `quarantine/` in the bucket.',
  'records.refused':
    'It uploaded records of another gateway or API, or from a time at which it cannot have written them; no question counts those. Its clock may be wrong, or it enrolled again without `isthmus enroll --replace`.',
  'records.file_missing': 'A file of the lake that the database counts is not in the bucket.',
} as const satisfies Readonly<Record<`${string}.${string}`, string>>;

/** A kind of event of a gateway. */
export type GatewayEventKind = keyof typeof gatewayEvents;
