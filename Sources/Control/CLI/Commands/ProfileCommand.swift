import API
import ArgumentParser
import FoundationEssentials

/// `cio profile`.
package struct ProfileCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Named sets of volume attributes.",
        discussion: example("cio profile ls", "cio volume create db -p MYSQL"),
        subcommands: [Create.self, List.self, Info.self, Show.self, Remove.self])

    package init() {}

    struct Choice: ParsableArguments {
        @Argument(help: "The profile's name.")
        var profile: String
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Add a profile from a YAML file.",
            discussion: example(
                "cio profile show MYSQL > mine.yaml", "cio profile create MINE mine.yaml"),
            aliases: ["add"])

        @OptionGroup var choice: Choice

        @Argument(help: "The file; - for standard input.")
        var file: String

        func run() async throws {
            let request = CreateProfileRequest(name: choice.profile, yaml: try text())
            Output.success(try await Session.client.create(request).message)
        }

        private func text() throws -> String {
            let what = "Add profile \(choice.profile)"
            let path = file == "-" ? "/dev/stdin" : file
            let data: Data
            do { data = try Data(contentsOf: URL(filePath: path)) } catch {
                throw APIError(
                    what: what, why: "\(file) cannot be read", next: "name a file that is there")
            }
            guard let text = String(validating: data, as: UTF8.self) else {
                throw APIError(what: what, why: "\(file) is no UTF-8 text")
            }
            return text
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the profiles.",
            discussion: example("cio profile ls", "cio profile ls --json"), aliases: ["list"])

        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let profiles = try await Session.client.profiles()
            try listing.show(ProfileList(profiles: profiles), as: ProfileListing.text(profiles))
        }
    }

    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "info", abstract: "Show the attributes that a profile gives.",
            discussion: example("cio profile info MYSQL"), aliases: ["inspect"])

        @OptionGroup var choice: Choice
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let details = try await Session.client.profile(choice.profile)
            try listing.show(details, as: ProfileListing.text(details))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print a profile's YAML, as it was added.",
            discussion: example("cio profile show MYSQL"))

        @OptionGroup var choice: Choice

        func run() async throws {
            let yaml = try await Session.client.profile(choice.profile).profile.yaml
            Output.line(yaml.hasSuffix("\n") ? String(yaml.dropLast()) : yaml)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a profile; volumes made with it stay as they are.",
            discussion: example("cio profile rm MINE"), aliases: ["remove", "delete"])

        @OptionGroup var choice: Choice

        func run() async throws {
            Output.success(try await Session.client.removeProfile(choice.profile).message)
        }
    }
}
