import {
  AppWindow,
  Bell,
  BookText,
  Boxes,
  ChartLine,
  LayoutDashboard,
  CircleUser,
  FileText,
  History,
  House,
  Inbox,
  KeyRound,
  Layers,
  Mail,
  Network,
  Rocket,
  Route,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  Tags,
  Users,
  Workflow,
  type LucideIcon,
} from 'lucide-react';

interface Entry<To extends string> {
  readonly group: string;
  readonly name: string;
  readonly to: To;
  readonly Icon: LucideIcon;
  /** What the reader must be permitted to read; what he may not is not shown. */
  readonly right?: string;
  /** Its parts stand beside each other: none of them below another. */
  readonly isFlat?: boolean;
}

/** A page of an environment that the side bar leads to. */
export type PageEntry = Entry<
  | '/$env/overview'
  | '/$env/apis'
  | '/$env/dictionaries'
  | '/$env/documentation'
  | '/$env/policy-groups'
  | '/$env/applications'
  | '/$env/topology'
  | '/$env/deployments'
  | '/$env/gateways'
  | '/$env/analytics'
  | '/$env/dashboards'
  | '/$env/logs'
  | '/$env/tasks'
  | '/$env/audit'
  | '/$env/settings'
>;

/** A page of the organization that the side bar leads to. */
export type OrganizationPageEntry = Entry<
  | '/_org/account'
  | '/_org/notifications'
  | '/_org/users'
  | '/_org/roles'
  | '/_org/fleets'
  | '/_org/policies'
  | '/_org/sign-in'
  | '/_org/environments'
  | '/_org/tags'
  | '/_org/templates'
  | '/_org/audit'
>;

/** In the order of the side bar. What is not there yet has no entry. */
export const pages: readonly PageEntry[] = [
  { group: '', name: 'Overview', to: '/$env/overview', Icon: House },
  { group: 'Build', name: 'APIs', to: '/$env/apis', Icon: Route },
  {
    group: 'Build',
    name: 'Policy groups',
    to: '/$env/policy-groups',
    Icon: Layers,
    right: 'SHARED_POLICY_GROUP',
  },
  { group: 'Build', name: 'Dictionaries', to: '/$env/dictionaries', Icon: BookText, right: 'DICTIONARY' },
  {
    group: 'Consumers',
    name: 'Documentation',
    to: '/$env/documentation',
    Icon: FileText,
    right: 'DOCUMENTATION',
  },
  { group: 'Consumers', name: 'Applications', to: '/$env/applications', Icon: AppWindow },
  { group: 'Consumers', name: 'Tasks', to: '/$env/tasks', Icon: Inbox },
  { group: 'Run', name: 'Topology', to: '/$env/topology', Icon: Network },
  { group: 'Run', name: 'Deployments', to: '/$env/deployments', Icon: Rocket, right: 'AUDIT' },
  { group: 'Run', name: 'Gateways', to: '/$env/gateways', Icon: Server },
  { group: 'Run', name: 'Analytics', to: '/$env/analytics', Icon: ChartLine },
  { group: 'Run', name: 'Dashboards', to: '/$env/dashboards', Icon: LayoutDashboard },
  { group: 'Run', name: 'Logs', to: '/$env/logs', Icon: ScrollText },
  { group: 'Govern', name: 'Audit', to: '/$env/audit', Icon: History, right: 'AUDIT' },
  { group: 'Govern', name: 'Settings', to: '/$env/settings', Icon: Settings, isFlat: true },
];

/** The same for the organization. */
export const organizationPages: readonly OrganizationPageEntry[] = [
  { group: 'People', name: 'Users', to: '/_org/users', Icon: Users, right: 'USER' },
  { group: 'People', name: 'Roles', to: '/_org/roles', Icon: ShieldCheck, right: 'ROLE' },
  { group: 'People', name: 'Sign-in', to: '/_org/sign-in', Icon: KeyRound, right: 'IDENTITY_PROVIDER' },
  {
    group: 'People',
    name: 'Notification templates',
    to: '/_org/templates',
    Icon: Mail,
    right: 'NOTIFICATION_TEMPLATES',
  },
  { group: 'Run', name: 'Environments', to: '/_org/environments', Icon: Boxes, right: 'ENVIRONMENT' },
  { group: 'Run', name: 'Fleets', to: '/_org/fleets', Icon: Network, right: 'FLEET' },
  { group: 'Run', name: 'Tags and tenants', to: '/_org/tags', Icon: Tags, right: 'TAG' },
  { group: 'Govern', name: 'Policies', to: '/_org/policies', Icon: Workflow, right: 'POLICIES' },
  { group: 'Govern', name: 'Audit', to: '/_org/audit', Icon: History, right: 'AUDIT' },
  { group: 'You', name: 'Notifications', to: '/_org/notifications', Icon: Bell },
  { group: 'You', name: 'Your account', to: '/_org/account', Icon: CircleUser },
];
