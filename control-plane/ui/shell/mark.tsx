/** The mark: two lands and the neck between them. */
export function Mark({ size = 24 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path
        fill="currentColor"
        d="M2 5.5C2 3.6 3.6 2 5.5 2 9 2 9.2 9.4 12 9.4S15 2 18.5 2C20.4 2 22 3.6 22 5.5v13c0 1.900-1.600 3.500-3.500 3.500-3.500 0-3.700-7.400-6.500-7.400S9 22 5.500 22C3.600 22 2 20.400 2 18.500z"
      />
    </svg>
  );
}
