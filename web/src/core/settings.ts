/** Where the settings are. Loader and widget ask at the very same address: the browser then
 * has the answer for the second. An accent that is not #rrggbb is nobody's. */
export function settingsPath(assistant: string, locale: string, accent = ""): string {
  const own = /^#[\da-f]{6}$/i.test(accent);
  return `/v1/widget?${new URLSearchParams({ ...(assistant && { assistant }), ...(own && { accent }), locale })}`;
}
