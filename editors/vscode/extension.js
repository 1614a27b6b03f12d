// Starts `statelang lsp`; everything else is done there.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const [command, ...args] = workspace.getConfiguration("statelang").get("server");
  client = new LanguageClient("statelang", { command, args }, {
    documentSelector: [{ language: "statelang" }],
  });
  return client.start();
};

exports.deactivate = () => client?.stop();
