/** Pages of the console by their addresses, as its router knows them; one that is missing here fails `console-states.browser.slow.test.ts`. */

const ofApi = `/ /design /entrypoints /backends /properties /resources /plans /plans/$plan /general /import /revisions /revisions/$number
  /health /subscriptions /subscriptions/$subscription /docs /members /notifications /analytics /logs`;
const ofApplication = `/ /subscriptions /subscriptions/$subscription /analytics /settings /members /notifications`;
const ofEnvironment = `/overview /apis /apis/import /applications /tasks /topology /deployments /gateways /gateways/$gateway /analytics /logs
  /logs/$api/$request /dashboards /dashboards/$dashboard /audit /policy-groups /policy-groups/$group /documentation /dictionaries
  /dictionaries/$dictionary /settings/groups /settings/groups/$group /settings/categories /settings/metadata /settings/api-headers
  /settings/retention /settings/notifications`;
const ofOrganization = `/account /notifications /users /users/$user /roles /roles/$scope/$role /audit /fleets /fleets/$fleet /tags /policies
  /sign-in /sign-in/$provider /environments /environments/$environment /templates /templates/$template`;

/** They lead on to another page, or ask the management API for nothing that has to be there. */
export const withoutStates: readonly string[] = [
  '/',
  '/$env',
  '/_org',
  '/$env/settings',
  '/sign-in',
  '/second-factor',
  '/forgot-password',
  '/new-password',
  '/register',
  '/finish-registration',
  '/kit',
];

/** What these show first is what stands around every page has asked for already, or they ask only what somebody has chosen. */
export const ofShell: readonly string[] = [
  '/$env/apis/import',
  '/_org/notifications',
  '/_org/policies',
  '/_org/environments',
];

const below = (parent: string, pages: string): readonly string[] =>
  pages.split(/\s+/).map((page) => (page === '/' ? parent : `${parent}${page}`));

/** Pages that ask for what they show. */
export const withStates: readonly string[] = [
  ...below('/$env', ofEnvironment),
  ...below('/$env/apis/$api', ofApi),
  ...below('/$env/applications/$application', ofApplication),
  ...below('/_org', ofOrganization),
];

/** The address of a page, e.g. `/console/DEFAULT/apis/<id>`, with what there is in place of what it is of. */
export function filled(page: string, made: Readonly<Record<string, string>>): string {
  const path = page.replaceAll(/\$(\w+)/g, (_, name: string) => {
    // Groups of policies and of people share a word.
    const key = name === 'group' && page.includes('policy-groups') ? 'policyGroup' : name;
    const value = made[key];
    if (value === undefined) throw new Error(`nothing was made for ${name} of ${page}`);
    return encodeURIComponent(value);
  });
  return `/console${path}`;
}
