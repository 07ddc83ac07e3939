/**
 * The icon: four tiles, one of them a keyhole. Drawn so that it reads on a light and on a dark tab.
 */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect x="2" y="2" width="13" height="13" rx="3" fill="#0f766e"/>
<rect x="17" y="2" width="13" height="13" rx="3" fill="#5eaaa3"/>
<rect x="2" y="17" width="13" height="13" rx="3" fill="#5eaaa3"/>
<rect x="17" y="17" width="13" height="13" rx="3" fill="#0f766e"/>
<circle cx="23.5" cy="22" r="2.2" fill="#fff"/>
<path d="M22.6 22h1.8l.9 5h-3.6z" fill="#fff"/>
</svg>
`;
