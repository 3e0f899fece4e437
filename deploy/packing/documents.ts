const asTheyAre = [
  'LICENSE',
  'CHANGELOG.md',
  'deploy/isthmus.js',
  'deploy/production/gateway.yaml',
  'deploy/production/shipper.yaml',
  'deploy/systemd/isthmus-gateway.service',
  'deploy/systemd/isthmus-shipper.service',
  'deploy/systemd/isthmus-.service.d/10-isthmus.conf',
  'deploy/systemd/isthmus.sysusers.conf',
];

/** What isthmus-gateway holds beside what runs: each file of it with the one of the checkout that it is a copy of. */
export const documents: ReadonlyMap<string, string> = new Map([
  ...asTheyAre.map((file) => [file, file] as const),
  ['README.md', 'deploy/packing/isthmus-gateway.md'] as const,
]);
