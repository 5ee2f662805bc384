/// Which cio this is: one number for every program of it.
public enum Release {
    public static let version = "0.1.0"
}
