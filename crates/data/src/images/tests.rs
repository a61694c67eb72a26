use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(width, height, image::Rgb(colour));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn idx_bytes(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn open(path: &Path) -> ImageSet {
    ImageSet::open(path, ImageOptions::default()).unwrap().unwrap()
}

#[test]
fn idx_files_find_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("t-images-idx3-ubyte.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&idx_bytes(&[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).unwrap();
    fs::write(&images, packed.finish().unwrap()).unwrap();
    let plain = open(&images);
    assert_eq!((plain.len(), plain.labels()), (2, None));
    fs::write(folder.path().join("t-labels-idx1-ubyte.gz"), idx_bytes(&[2], &[3, 1])).unwrap();
    let set = open(&images);
    assert_eq!((set.labels(), set.classes().len()), (Some(&[3, 1][..]), 4));
    let second = set.decode(1..2, false).unwrap();
    assert_eq!(second, [Pixels { height: 2, width: 3, channels: 1, bytes: vec![6, 7, 8, 9, 10, 11] }]);
    assert_eq!(set.decode(0..1, true).unwrap()[0].bytes[..6], [0, 0, 0, 1, 1, 1]);
    let other = folder.path().join("others");
    fs::write(&other, idx_bytes(&[3], &[0, 1, 2])).unwrap();
    let error = ImageSet::open(&images, ImageOptions { labels: Some(&other), target: None }).unwrap_err();
    assert!(error.to_string().contains("expected 2 labels"), "{error}");
    for (bytes, message) in [
        (idx_bytes(&[u32::MAX, u32::MAX, u32::MAX], &[1]), "got 1 bytes"),
        (idx_bytes(&[2, 2, 2], &[1; 7]), "got 7 bytes"),
        (idx_bytes(&[2, 2, 2], &[1; 9]), "got 9 bytes"),
        (idx_bytes(&[0, 2, 2], &[]), "at least one image"),
        (idx_bytes(&[4], &[1; 4]), "images, height, width"),
        ([&[0, 0, 13, 1][..], &[0, 0, 0, 1, 0, 0, 0, 0]].concat(), "type 13"),
    ] {
        fs::write(&other, bytes).unwrap();
        let error = ImageSet::open(&other, ImageOptions::default()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    fs::write(&other, b"text").unwrap();
    assert!(ImageSet::open(&other, ImageOptions::default()).unwrap().is_none());
}

#[test]
fn folders_archives_and_tables_know_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let images = [("10/a.png", [200, 0, 0]), ("9/b.PNG", [0, 200, 0]), ("9/a.png", [0, 0, 200])];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, colour) in images {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, png(2, 1, colour)).unwrap();
        archive.start_file(format!("set/{name}"), options).unwrap();
        archive.write_all(&png(2, 1, colour)).unwrap();
    }
    fs::write(root.join("notes.txt"), "no image").unwrap();
    let packed = folder.path().join("set.zip");
    fs::write(&packed, archive.finish().unwrap().into_inner()).unwrap();
    let table = folder.path().join("list.csv");
    fs::write(&table, "path,class\nset/10/a.png,10\nset/9/a.png,9\nset/9/b.PNG,9\n").unwrap();
    for set in [open(&root), open(&packed), {
        let options = ImageOptions { labels: None, target: Some("class") };
        ImageSet::open(&table, options).unwrap().unwrap()
    }] {
        assert_eq!(set.classes(), ["9", "10"], "numbers in their order");
        assert_eq!((set.len(), set.labels()), (3, Some(&[1, 0, 0][..])), "{:?}", set.names());
        let decoded = set.decode(0..3, true).unwrap();
        assert_eq!(
            decoded[0],
            Pixels { height: 1, width: 2, channels: 3, bytes: vec![200, 0, 0, 200, 0, 0] }
        );
        assert_eq!(decoded[1].bytes, [0, 0, 200, 0, 0, 200]);
        assert_eq!(set.decode(1..2, false).unwrap()[0].channels, 1);
    }
    assert_eq!(ImageSet::open(&table, ImageOptions::default()).unwrap().unwrap().labels(), None);
    fs::write(root.join("9/broken.png"), b"no png").unwrap();
    let set = open(&root);
    let error = set.decode(0..4, true).unwrap_err().to_string();
    assert!(error.contains("image 9/broken.png: expected a PNG"), "{error}");
    fs::write(&table, "path\nset/10/a.png\nset/10/gone.png\n").unwrap();
    let error = ImageSet::open(&table, ImageOptions::default()).unwrap_err().to_string();
    assert!(error.contains("row 2: expected a path of an image, got \"set/10/gone.png\""), "{error}");
    fs::write(&table, "a,b\n1,2\n").unwrap();
    assert!(ImageSet::open(&table, ImageOptions::default()).unwrap().is_none(), "a table of numbers");
    let empty = tempfile::tempdir().unwrap();
    let error = ImageSet::open(empty.path(), ImageOptions::default()).unwrap_err().to_string();
    assert!(error.contains("expected images"), "{error}");
    fs::write(&packed, b"PK no archive").unwrap();
    assert!(ImageSet::open(&packed, ImageOptions::default()).is_err());
}
