/// A profile: attributes for volumes, under a name.
public struct ProfileView: Codable, Equatable, Sendable {
    public var name: String
    /// When it was added, in seconds since 1970.
    public var since: Double
    /// As its author wrote it.
    public var yaml: String

    public init(name: String, since: Double, yaml: String) {
        self.name = name
        self.since = since
        self.yaml = yaml
    }
}

/// `GET /v1/profiles`.
public struct ProfileList: Codable, Equatable, Sendable {
    public var profiles: [ProfileView]
    public init(profiles: [ProfileView]) { self.profiles = profiles }
}

/// `GET /v1/profiles/{profile}`: with every attribute that a volume of it has.
public struct ProfileDetails: Codable, Equatable, Sendable {
    public var profile: ProfileView
    /// What `POST /v1/volumes` would be asked for.
    public var attributes: CreateVolumeRequest

    public init(profile: ProfileView, attributes: CreateVolumeRequest) {
        self.profile = profile
        self.attributes = attributes
    }
}

/// `POST /v1/profiles`.
public struct CreateProfileRequest: Codable, Equatable, Sendable {
    public var name: String
    public var yaml: String

    public init(name: String, yaml: String) {
        self.name = name
        self.yaml = yaml
    }
}

/// The answer to what changes a profile.
public struct ProfileResult: Codable, Equatable, Sendable {
    /// What follows `Succeed: `.
    public var message: String
    public init(message: String) { self.message = message }
}
