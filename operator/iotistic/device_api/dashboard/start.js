// In a browser on the device itself requests break off whenever a container comes or goes: the machine's
// network has changed. A page that could not be loaded as a whole is loaded again.

addEventListener("error", ({ target }) => {
  if (["SCRIPT", "LINK"].includes(target.tagName)) setTimeout(() => location.reload(), 1000);
}, true);
