/** Phase marks in microseconds since the request's head was complete; 0 when the phase did not happen. */
export interface PhaseMarks {
  /** The gateway asked the upstream for a connection; what follows is of the last time it did. */
  upstreamStartUs: number;
  /** A connection that was kept had gone, and the request was sent on another; what follows is of that. */
  upstreamRepeatUs: number;
  /** A new connection: addresses of its host were known. */
  upstreamDnsUs: number;
  /** A new connection: the host, or a proxy before it, had taken it; TLS follows where there is some. */
  upstreamTcpUs: number;
  /** A connection was in hand (reused ones at once). */
  upstreamConnectUs: number;
  /** The answer's head was complete. */
  upstreamHeadUs: number;
  /** The answer's last byte was read. */
  upstreamEndUs: number;
}

/** All of them where nothing has happened yet. */
export const noMarks = (): PhaseMarks => ({
  upstreamStartUs: 0,
  upstreamRepeatUs: 0,
  upstreamDnsUs: 0,
  upstreamTcpUs: 0,
  upstreamConnectUs: 0,
  upstreamHeadUs: 0,
  upstreamEndUs: 0,
});

/** An upstream is asked, perhaps again: nothing of a former time counts. */
export function beginMarks(marks: PhaseMarks, atUs: number): void {
  marks.upstreamStartUs = atUs;
  marks.upstreamRepeatUs = 0;
  marks.upstreamDnsUs = 0;
  marks.upstreamTcpUs = 0;
  marks.upstreamConnectUs = 0;
  marks.upstreamHeadUs = 0;
  marks.upstreamEndUs = 0;
}
