import { AppWindow, ChartLine, Route, ScrollText, Server, type LucideIcon } from 'lucide-react';

/** A page of an environment that the side bar leads to. */
export interface PageEntry {
  readonly group: 'Build' | 'Consumers' | 'Run' | 'Govern';
  readonly name: string;
  readonly to: '/$env/apis' | '/$env/applications' | '/$env/gateways' | '/$env/analytics' | '/$env/logs';
  readonly Icon: LucideIcon;
}

/** In the order of the side bar. What is not there yet has no entry. */
export const pages: readonly PageEntry[] = [
  { group: 'Build', name: 'APIs', to: '/$env/apis', Icon: Route },
  { group: 'Consumers', name: 'Applications', to: '/$env/applications', Icon: AppWindow },
  { group: 'Run', name: 'Gateways', to: '/$env/gateways', Icon: Server },
  { group: 'Run', name: 'Analytics', to: '/$env/analytics', Icon: ChartLine },
  { group: 'Run', name: 'Logs', to: '/$env/logs', Icon: ScrollText },
];
