import ArgumentParser
struct ManifestCommand: AsyncParsableCommand { static let configuration = CommandConfiguration(commandName: "manifest") }
