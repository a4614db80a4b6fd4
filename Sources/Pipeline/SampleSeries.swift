internal import MediaModel

/// Samples of a run, as many as a chart shows: where there are more, every second one goes, and from there on half as many
/// are taken.
struct SampleSeries {
    static let most = 600

    private(set) var samples: [RunSample] = []
    private var step: Int64 = 1

    /// Takes a sample; true where the ones that are stored must be written anew.
    mutating func add(_ sample: RunSample) -> Addition {
        if let last = samples.last, sample.at < last.at + step { return .none }
        samples.append(sample)
        guard samples.count > Self.most else { return .one }
        samples = samples.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        step = max(2, step * 2)
        return .all
    }

    enum Addition { case none, one, all }
}
