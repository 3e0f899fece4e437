// The same among 10,000 APIs.
import './change-cost.slow.test.ts';
