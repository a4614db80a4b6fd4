import ArgumentParser
struct VerifyCommand: AsyncParsableCommand { static let configuration = CommandConfiguration(commandName: "verify") }
