# A stand-in for the loop of `tootctl media refresh` and `tootctl accounts refresh`, written for the benchmark: not Mastodon, no
# Rails. What it does of the work it does with the libraries that Mastodon uses (libvips by ruby-vips, libpq), and it leaves out
# whatever would only slow it down: it flatters tootctl.
#
# tootctl-stand-in.rb ROOT LIST BLURHASH THREADS
#   ROOT      where files are written, as Paperclip lays them out; nothing is flushed, as Paperclip flushes nothing
#   LIST      lines "attachment ID" and "avatar ID"
#   BLURHASH  a library with mds_blurhash_sums
# libpq's variables say where the database is. Prints how many were done and how many failed.
#
# As in lib/mastodon/cli: batches of 1,000 rows, a pool of threads, and the next batch when the slowest of this one is through. For
# each row: its account and its domain's block, a connection of its own for the download (5 s to connect, 10 s to read, 30 s in
# all), the variants, one UPDATE in a transaction. No retry, no pace, no memory of dead hosts.
require 'ffi'
require 'fileutils'
require 'net/http'
require 'pg'
require 'securerandom'
require 'tempfile'
require 'vips'

ROOT, LIST, LIBRARY, THREADS = ARGV
BATCH = 1000
SMALL_PIXELS = 230_400
ORIGINAL_PIXELS = 8_294_400
ALPHABET = [*'0'..'9', *'A'..'Z', *'a'..'z', *'#$%*+,-.:;=?@[]^_{|}~'.chars].freeze

module Pixels
  extend FFI::Library
  ffi_lib LIBRARY
  # As in CPixels.h.
  class Picture < FFI::Struct
    layout :pixels, :pointer, :width, :int, :height, :int, :stride, :size_t, :channels, :int
  end
  attach_function :mds_blurhash_sums, [Picture.by_ref, :pointer], :int
end

module Blurhash
  module_function

  def base83(value, digits)
    (1..digits).map { |place| ALPHABET[value / 83**(digits - place) % 83] }.join
  end

  def gamma(value)
    v = value.clamp(0, 1)
    ((v <= 0.0031308 ? v * 12.92 : 1.055 * v**(1 / 2.4) - 0.055) * 255 + 0.5).to_i
  end

  # Of a picture of at most 100 x 100, as Mastodon makes it.
  def encode(image)
    bytes = image.colourspace(:srgb).extract_band(0, n: 3).to_a.flatten
    pixels = FFI::MemoryPointer.new(:uint8, bytes.size).write_array_of_uint8(bytes)
    sums = FFI::MemoryPointer.new(:float, 48)
    picture = Pixels::Picture.new
    picture[:pixels] = pixels
    picture[:width], picture[:height] = image.width, image.height
    picture[:stride], picture[:channels] = image.width * 3, 3
    raise 'no memory' unless Pixels.mds_blurhash_sums(picture, sums).zero?

    values = sums.read_array_of_float(48)
    largest = values[3..].map(&:abs).max
    quantized = (largest * 166 - 0.5).floor.clamp(0, 82)
    dc = values[0, 3].map { |value| gamma(value) }
    rest = values[3..].each_slice(3).map do |color|
      color.reduce(0) do |sum, value|
        scaled = value / ((quantized + 1) / 166.0)
        sum * 19 + ((scaled <=> 0) * Math.sqrt(scaled.abs) * 9 + 9.5).floor.clamp(0, 18)
      end
    end
    base83(30, 1) + base83(quantized, 1) + base83(dc[0] << 16 | dc[1] << 8 | dc[2], 4) + rest.map { |value| base83(value, 2) }.join
  end
end

# A connection for this one file, and all deadlines of Mastodon's.
def download(url)
  uri = URI(url)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 30
  file = Tempfile.new('download', binmode: true)
  http = Net::HTTP.new(uri.host, uri.port, nil)
  http.open_timeout, http.read_timeout, http.max_retries = 5, 10, 0
  http.start do
    http.request_get(uri.request_uri) do |response|
      raise "HTTP #{response.code}" unless response.code == '200'

      response.read_body do |part|
        raise 'too slow' if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

        file.write(part)
      end
    end
  end
  file.flush
  file
end

def place(kind, id, style, name)
  digits = id.to_s.rjust(id > 999_999_999 ? 18 : 9, '0')
  folder = kind == 'attachment' ? 'media_attachments/files' : 'accounts/avatars'
  path = File.join(ROOT, 'cache', folder, *digits.scan(/.../), style, name)
  FileUtils.mkdir_p(File.dirname(path))
  path
end

def name(url)
  SecureRandom.hex(8) + File.extname(URI(url).path)
end

def fitted(image, pixels)
  ratio = Math.sqrt(pixels.to_f / (image.width * image.height))
  [(image.width * ratio).round, (image.height * ratio).round]
end

def refresh_attachment(database, id)
  row = database.exec_params('SELECT account_id, remote_url FROM media_attachments WHERE id = $1', [id])[0]
  account = database.exec_params('SELECT domain FROM accounts WHERE id = $1', [row['account_id']])[0]
  blocks = database.exec_params('SELECT reject_media FROM domain_blocks WHERE domain = $1', [account['domain']])
  return if blocks.ntuples.positive? && blocks[0]['reject_media'] == 't'

  file = download(row['remote_url'])
  name = name(row['remote_url'])
  image = Vips::Image.new_from_file(file.path)
  original = place('attachment', id, 'original', name)
  if image.width * image.height > ORIGINAL_PIXELS
    width, height = fitted(image, ORIGINAL_PIXELS)
    Vips::Image.thumbnail(file.path, width, height: height, size: :down).write_to_file(original)
  else
    FileUtils.cp(file.path, original)
  end
  small = place('attachment', id, 'small', name)
  if image.width * image.height > SMALL_PIXELS
    width, height = fitted(image, SMALL_PIXELS)
    Vips::Image.thumbnail(original, width, height: height, size: :down).write_to_file(small)
  else
    FileUtils.cp(original, small)
  end
  size = Vips::Image.new_from_file(small)
  hash = Blurhash.encode(Vips::Image.thumbnail(small, 100))
  described = [[:original, image], [:small, size]].map do |style, one|
    %("#{style}":{"width":#{one.width},"height":#{one.height},"size":"#{one.width}x#{one.height}","aspect":#{one.width.fdiv(one.height)}})
  end
  database.transaction do
    database.exec_params(<<~SQL, [id, name, "image/#{File.extname(name)[1..]}", File.size(original), "{#{described.join(',')}}", hash])
      UPDATE media_attachments SET file_file_name = $2, file_content_type = $3, file_file_size = $4, file_meta = $5, blurhash = $6,
      file_updated_at = now(), file_storage_schema_version = 1, updated_at = now() WHERE id = $1
    SQL
  end
ensure
  file&.close!
end

def refresh_avatar(database, id)
  row = database.exec_params('SELECT domain, avatar_remote_url FROM accounts WHERE id = $1', [id])[0]
  blocks = database.exec_params('SELECT reject_media FROM domain_blocks WHERE domain = $1', [row['domain']])
  return if blocks.ntuples.positive? && blocks[0]['reject_media'] == 't'

  file = download(row['avatar_remote_url'])
  name = name(row['avatar_remote_url'])
  image = Vips::Image.new_from_file(file.path)
  original = place('avatar', id, 'original', name)
  if image.width == 400 && image.height == 400
    FileUtils.cp(file.path, original)
  else
    Vips::Image.thumbnail(file.path, 400, height: 400, crop: :centre).write_to_file(original)
  end
  if name.end_with?('.gif')
    Vips::Image.thumbnail(file.path, 400, height: 400, crop: :centre).write_to_file(place('avatar', id, 'static', name.sub('.gif', '.png')))
  end
  database.transaction do
    database.exec_params(<<~SQL, [id, name, "image/#{File.extname(name)[1..]}", File.size(original)])
      UPDATE accounts SET avatar_file_name = $2, avatar_content_type = $3, avatar_file_size = $4, avatar_updated_at = now(),
      avatar_storage_schema_version = 1, updated_at = now() WHERE id = $1
    SQL
  end
ensure
  file&.close!
end

# Mastodon's settings of libvips.
Vips.cache_set_max(0)
databases = Array.new(THREADS.to_i) { PG.connect(dbname: ENV.fetch('PGDATABASE')) }
items = File.readlines(LIST, chomp: true).map { |line| line.split.then { |kind, id| [kind, id.to_i] } }
done, failed = Queue.new, Queue.new
%w[attachment avatar].each do |kind|
  items.select { |item| item[0] == kind }.each_slice(BATCH) do |batch|
    queue = Queue.new
    batch.each { |item| queue << item[1] }
    queue.close
    databases.map do |database|
      Thread.new do
        while (id = queue.pop)
          begin
            kind == 'attachment' ? refresh_attachment(database, id) : refresh_avatar(database, id)
            done << id
          rescue StandardError => e
            warn "#{kind} #{id}: #{e.class}: #{e.message}"
            failed << id
          end
        end
      end
    end.each(&:join)
  end
end
puts "#{done.size} #{failed.size}"
