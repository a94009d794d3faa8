import type { ComponentChildren } from "preact";

function Icon({ size = 16, children }: { size?: number; children: ComponentChildren }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const PulseMark = () => (
  <svg class="icon" width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d="M1 11h4l2.5-7 4.5 12 2.5-6.500h4.5" />
  </svg>
);
export const ChipIcon = () => (
  <Icon size={14}>
    <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" />
    <path d="M6 1v2.500M10 1v2.500M6 12.500V15M10 12.500V15M1 6h2.500M1 10h2.500M12.5 6H15M12.5 10H15" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon size={12}>
    <path d="M4 6l4 4 4-4" />
  </Icon>
);
export const SaveIcon = () => (
  <Icon>
    <path d="M8 2v8M5 7.500L8 10.500l3-3M2.5 13.500h11" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.200v1.600M8 13.200v1.600M1.2 8h1.600M13.2 8h1.600M3.2 3.200l1.1 1.100M11.7 11.700l1.1 1.100M12.8 3.200l-1.1 1.100M4.3 11.700l-1.1 1.1" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M13.5 9.600A6 6 0 016.4 2.500a6 6 0 107.1 7.100z" />
  </Icon>
);
export const HelpIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.5" />
    <path d="M6.2 6.200a1.9 1.9 0 113 1.600c-.8.5-1.2.8-1.2 1.600M8 11.500v.1" />
  </Icon>
);
/** ▲: near a rule, or an alert that ended. */
export const WarnMark = ({ size = 10 }: { size?: number }) => (
  <svg class="mark warn" width={size} height={size} viewBox="0 0 10 10" aria-hidden="true">
    <path d="M5 .5L10 9.500H0z" fill="currentColor" />
  </svg>
);
/** ◆: over a rule now. */
export const AlertMark = ({ size = 10 }: { size?: number }) => (
  <svg class="mark alert" width={size} height={size} viewBox="0 0 10 10" aria-hidden="true">
    <path d="M5 0l5 5-5 5-5-5z" fill="currentColor" />
  </svg>
);
/** Grey bar: news, not trouble. */
export const InfoMark = () => (
  <svg class="mark info" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
    <path d="M0 3h10v4H0z" fill="currentColor" />
  </svg>
);
export const CrossMark = ({ size = 10 }: { size?: number }) => (
  <svg class="mark alert" width={size} height={size} viewBox="0 0 10 10" fill="none" stroke="currentColor"
    stroke-width="1.6" aria-hidden="true">
    <path d="M1 1l8 8M9 1L1 9" />
  </svg>
);
