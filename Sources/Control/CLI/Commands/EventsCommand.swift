import API
import ArgumentParser

/// `cio events`.
package struct EventsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What has happened in the cluster.",
        discussion: example("cio events -n 20", "cio events --follow"), aliases: ["event"])

    package init() {}

    @Option(name: .customShort("n"), help: ArgumentHelp("The last N only.", valueName: "N"))
    var count = 500

    @Flag(help: "Go on with every new event until interrupted.")
    var follow = false

    @OptionGroup var listing: ListingOptions

    package func validate() throws {
        guard (0...1_000_000).contains(count) else {
            throw ValidationError("-n takes 0 to 1000000 events, not \(count)")
        }
    }

    package func run() async throws {
        guard follow else {
            let events = try await Session.client.events(last: count)
            if events.isEmpty && !listing.json { return }
            return try listing.show(
                EventList(events: events),
                as: events.map { EventLine.text($0) }.joined(separator: "\n"))
        }
        let json = listing.json
        try await Session.client.followEvents(last: count) { event in
            Output.line(json ? try JSONText.line(event) : EventLine.text(event))
        }
    }
}
