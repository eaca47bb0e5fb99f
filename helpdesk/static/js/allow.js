// Beside the switch for notifications: the browser is asked for its leave by a click, never by itself.
(() => {
  const box = document.querySelector("[data-allow]");
  if (!box || !("Notification" in window)) return;
  const show = () => {
    const { permission } = Notification;
    box.hidden = false;
    box.querySelector("button").hidden = permission !== "default";
    box.querySelector("[data-granted]").hidden = permission !== "granted";
    box.querySelector("[data-denied]").hidden = permission !== "denied";
  };
  box.querySelector("button").addEventListener("click", async () => { await Notification.requestPermission(); show(); });
  show();
})();
