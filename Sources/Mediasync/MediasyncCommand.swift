import ArgumentParser

@main
struct MediasyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "mediasync", abstract: "x")
}
