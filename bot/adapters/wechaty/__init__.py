"""微信 through a Wechaty gateway. Importing this folder imports no wechaty; `adapter` does."""
