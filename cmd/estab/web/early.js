// What has to be known before the first paint: the theme and the language. A
// link's language wins over the remembered one, which wins over the browser's.
(() => {
  const root = document.documentElement;
  const get = (k) => {
    try {
      return localStorage.getItem(k);
    } catch {
      return null;
    }
  };
  const linked = /[?&]lang=(en|zh)\b/.exec(location.hash);
  const lang = linked ? linked[1] : get("estab.lang") || ((navigator.language || "").startsWith("zh") ? "zh" : "en");
  root.lang = lang === "zh" ? "zh-CN" : "en";
  const theme = get("estab.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
