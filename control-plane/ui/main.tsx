import './kit/tokens.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem } from './api/problem.ts';
import { createConsoleRouter } from './router.tsx';

// What is under way is known before the next click or key is heard: a timer, which is what it waits for by itself, comes after those that
// wait on a slow machine, and they would do the same again.
notifyManager.setScheduler(queueMicrotask);

const retriesMax = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What was refused is refused again; what did not arrive may.
      retry: (failed, error) => failed < retriesMax && Problem.of(error).status === 0,
      staleTime: 5_000,
    },
  },
});
const router = createConsoleRouter(queries);

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no root');
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
createRoot(root).render(
  <StrictMode>
    <CSPProvider {...(nonce !== undefined && { nonce })}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
