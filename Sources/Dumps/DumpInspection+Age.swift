package import MediaModel

extension DumpInspection {
    /// Decides when the dump was made. The header is exact where there is one. The newest post is never later than the
    /// dump, which is the right side to be wrong on when its age decides what to fetch again; the file's time may be that
    /// of a copy. A post dated after the file is somebody's wrong clock.
    mutating func judgeAge(fileModifiedAt: Int64?) {
        let newest = (mastodonDatabase ?? databases.first)?.newestStatusAt
        if let time = startedOn.flatMap(Self.seconds(headerTime:)) {
            (madeAt, madeAtSource) = (time, .header)
        } else if let newest, fileModifiedAt.map({ newest <= $0 }) ?? true {
            (madeAt, madeAtSource) = (newest, .newestStatus)
        } else if let fileModifiedAt {
            (madeAt, madeAtSource) = (fileModifiedAt, .file)
        }
    }

    /// When it was made, as it is written at the database that is made of it.
    package var dump: RestoredDump? {
        guard let madeAt, let madeAtSource else { return nil }
        return RestoredDump(madeAt: madeAt, source: madeAtSource)
    }

    /// `2026-11-20 10:00:00 UTC`. Other zones are abbreviations with more than one meaning.
    static func seconds(headerTime text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 3, ["UTC", "GMT"].contains(parts[2]) else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int64($0) }
        let time = parts[1].split(separator: ":").compactMap { Int64($0) }
        guard date.count == 3, time.count == 3, (1970...2200).contains(date[0]), (1...12).contains(date[1]),
            (1...31).contains(date[2]), (0...23).contains(time[0]), (0...59).contains(time[1]),
            (0...60).contains(time[2])
        else { return nil }
        // Years begin in March, so that the leap day is the last of one.
        let year = date[1] > 2 ? date[0] : date[0] - 1
        let dayOfYear = (153 * (date[1] + (date[1] > 2 ? -3 : 9)) + 2) / 5 + date[2] - 1
        let days = year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
        return days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
    }
}
